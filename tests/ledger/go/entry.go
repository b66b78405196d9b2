package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"unicode/utf8"
)

// Sections 1 and 2 of the page: the entry and its hash.

const (
	typeDouble   = 0x01
	typeString   = 0x02
	typeDocument = 0x03
	typeArray    = 0x04
	typeBinary   = 0x05
	typeObjectID = 0x07
	typeBoolean  = 0x08
	typeDate     = 0x09
)

const maximumInteger = 1<<53 - 1

type field struct {
	name     string
	kind     byte
	optional bool
	check    func(value []byte) bool
}

type entry struct {
	switchID, previousHash, hash string
	sequence                     float64
}

func number(minimum, maximum float64) func([]byte) bool {
	return func(value []byte) bool {
		number := doubleOf(value)
		return number >= minimum && number <= maximum
	}
}

func integer(minimum, maximum float64) func([]byte) bool {
	return func(value []byte) bool {
		number := doubleOf(value)
		return number >= minimum && number <= maximum && math.Trunc(number) == number
	}
}

func date(value []byte) bool {
	ms := int64(binary.LittleEndian.Uint64(value))
	return ms >= -8_640_000_000_000_000 && ms <= 8_640_000_000_000_000
}

func text(fewest, most int) func([]byte) bool {
	return func(value []byte) bool {
		characters := utf8.RuneCount(value)
		return characters >= fewest && characters <= most
	}
}

func oneOf(texts ...string) func([]byte) bool {
	return func(value []byte) bool {
		for _, one := range texts {
			if string(value) == one {
				return true
			}
		}
		return false
	}
}

func anything([]byte) bool { return true }

var flags = []string{"late", "clock_replaced", "clock_ambiguous", "estimated", "snapshot", "reboot", "placed"}

var entryFields = []field{
	{"_id", typeObjectID, false, anything},
	{"formatVersion", typeDouble, false, number(1, 1)},
	{"switchId", typeObjectID, false, anything},
	{"sequence", typeDouble, false, integer(1, maximumInteger)},
	{"deviceId", typeObjectID, false, anything},
	{"classroom", typeObjectID, false, anything},
	{"timestamp", typeDate, false, date},
	{"receivedAt", typeDate, false, date},
	{"eventType", typeString, false, oneOf("switch_on", "switch_off", "power_reading", "refused_reading", "sign_of_life",
		"restart", "manual_adjustment", "erasure")},
	{"powerState", typeBoolean, false, anything},
	{"powerRating", typeDouble, false, number(0, 1e6)},
	{"energySource", typeString, false, oneOf("counter", "power", "rated")},
	{"energyDirection", typeString, true, oneOf("production")},
	{"reading", typeDocument, true, anything},
	{"adjustment", typeDocument, true, anything},
	{"erases", typeBinary, true, anything},
	{"gapLimitMs", typeDouble, false, integer(1000, 1e9)},
	{"silentSince", typeDate, true, date},
	{"ratePerKwh", typeDouble, false, number(-1e6, 1e6)},
	{"flags", typeArray, false, anything},
	{"metadata", typeDocument, false, anything},
	{"personalCommitment", typeBinary, true, anything},
	{"idempotencyKey", typeString, false, text(1, 200)},
	{"cumulativeEnergy", typeDouble, false, number(-8e12, 8e12)},
	{"cumulativeProduction", typeDouble, false, number(-8e12, 8e12)},
	{"calculatedCost", typeDouble, false, number(-1e12, 1e12)},
	{"previousHash", typeBinary, false, anything},
	{"hash", typeBinary, false, anything},
}

var readingFields = []field{
	{"powerW", typeDouble, true, number(-1e9, 1e9)},
	{"energyWh", typeDouble, true, number(0, 1e15)},
	{"counterQuantumWh", typeDouble, true, number(0, 1e6)},
	{"counterWidthWh", typeDouble, true, number(0, 1e15)},
	{"maximumPower", typeDouble, true, number(1, 1e9)},
}

var adjustmentFields = []field{
	{"energyWs", typeDouble, false, number(-8e12, 8e12)},
	{"productionWs", typeDouble, false, number(-8e12, 8e12)},
	{"cost", typeDouble, false, number(-1e9, 1e9)},
}

var metadataFields = []field{
	{"source", typeString, false, oneOf("mqtt", "api", "manual", "calculated", "migration")},
	{"firmwareVersion", typeString, true, text(0, 100)},
	{"voltage", typeDouble, true, number(-1e6, 1e6)},
	{"current", typeDouble, true, number(-1e6, 1e6)},
	{"powerFactor", typeDouble, true, number(-1, 1)},
	{"temperature", typeDouble, true, number(-273.15, 1e4)},
	{"bootId", typeString, true, text(1, 64)},
	{"deviceSequence", typeDouble, true, integer(0, maximumInteger)},
	{"originalRecordId", typeString, true, text(0, 200)},
}

// openEntry reads the stored bytes of an entry, and its hash.
func openEntry(data []byte) entry {
	values := parseDocument(data, entryFields)
	requireRules(values)
	leaf := entryHash(data)
	require(bytes.Equal(values["hash"], leaf), "an entry does not have the hash that it carries")
	first := doubleOf(values["sequence"]) == 1
	require(!first || bytes.Equal(values["previousHash"], make([]byte, 32)), "a first entry goes on from another")
	return entry{
		switchID:     string(values["switchId"]),
		sequence:     doubleOf(values["sequence"]),
		previousHash: string(values["previousHash"]),
		hash:         string(leaf),
	}
}

func requireRules(values map[string][]byte) {
	eventType := string(values["eventType"])
	isOn := values["powerState"][0] == 1
	require(eventType != "switch_on" || isOn, "a switch that was switched on is on")
	require(eventType != "switch_off" || !isOn, "a switch that was switched off is off")
	reading, hasReading := values["reading"]
	require(eventType != "refused_reading" || !hasReading, "a refused reading has none")
	require(eventType != "power_reading" || hasReading, "a reading has one")
	if hasReading {
		inside := parseDocument(reading, readingFields)
		require(eventType != "power_reading" || inside["powerW"] != nil || inside["energyWh"] != nil, "a reading of nothing")
	}
	adjustment, hasAdjustment := values["adjustment"]
	require(hasAdjustment == (eventType == "manual_adjustment"), "an adjustment")
	if hasAdjustment {
		parseDocument(adjustment, adjustmentFields)
	}
	erases, hasErases := values["erases"]
	require(hasErases == (eventType == "erasure"), "an erasure")
	require(!hasErases || string(values["idempotencyKey"]) == "erasure:"+hex.EncodeToString(erases), "the key of an erasure")
	parseDocument(values["metadata"], metadataFields)
	requireFlags(values["flags"])
}

func requireFlags(array []byte) {
	next := 0
	for index, element := range elementsOf(array) {
		require(element.kind == typeString && element.name == string(rune('0'+index)), "a flag")
		for next < len(flags) && flags[next] != string(element.value) {
			next++
		}
		require(next < len(flags), "a flag that is not in its place")
		next++
	}
}

// parseDocument gives the values of the fields, which have to be there in this order and type.
func parseDocument(data []byte, fields []field) map[string][]byte {
	values := map[string][]byte{}
	next := 0
	for _, element := range elementsOf(data) {
		for next < len(fields) && fields[next].name != element.name {
			require(fields[next].optional, "a field is missing or not in its place")
			next++
		}
		require(next < len(fields) && fields[next].kind == element.kind, "a field is of another type, or too many")
		require(fields[next].check(element.value), "a field has a value that it cannot have")
		values[element.name] = element.value
		next++
	}
	for ; next < len(fields); next++ {
		require(fields[next].optional, "a field is missing")
	}
	return values
}

type element struct {
	kind  byte
	name  string
	value []byte
}

func elementsOf(data []byte) []element {
	require(len(data) >= 5 && int(int32(binary.LittleEndian.Uint32(data))) == len(data), "the length of a document")
	require(data[len(data)-1] == 0, "the end of a document")
	var elements []element
	rest := data[4 : len(data)-1]
	for len(rest) > 0 {
		kind := rest[0]
		end := bytes.IndexByte(rest, 0)
		require(end > 0, "the name of a field")
		name := string(rest[1:end])
		rest = rest[end+1:]
		var value []byte
		value, rest = valueOf(kind, rest)
		elements = append(elements, element{kind, name, value})
	}
	return elements
}

// valueOf takes a value off the bytes: of a string its text, of a binary its bytes.
func valueOf(kind byte, rest []byte) (value, after []byte) {
	switch kind {
	case typeDouble, typeDate:
		return cut(rest, 8)
	case typeObjectID:
		return cut(rest, 12)
	case typeBoolean:
		value, after = cut(rest, 1)
		require(value[0] <= 1, "a boolean")
		return value, after
	case typeString:
		length := lengthAt(rest)
		value, after = cut(rest[4:], length)
		require(len(value) > 0 && value[len(value)-1] == 0, "the end of a text")
		value = value[:len(value)-1]
		require(utf8.Valid(value), "a text that is no UTF-8")
		return value, after
	case typeDocument, typeArray:
		return cut(rest, lengthAt(rest))
	case typeBinary:
		require(lengthAt(rest) == 32 && len(rest) >= 5 && rest[4] == 0, "a hash")
		return cut(rest[5:], 32)
	}
	panic(damage("a field of another type"))
}

func lengthAt(data []byte) int {
	require(len(data) >= 4, "a value is cut off")
	return int(int32(binary.LittleEndian.Uint32(data)))
}

func cut(data []byte, length int) (value, after []byte) {
	require(length >= 0 && length <= len(data), "a value is cut off")
	return data[:length], data[length:]
}

func doubleOf(value []byte) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(value))
}

func entryHash(data []byte) []byte {
	body := append([]byte{}, data[:len(data)-44]...)
	body = append(body, 0)
	binary.LittleEndian.PutUint32(body, uint32(len(body)))
	sum := sha256.New()
	sum.Write([]byte("\x00autovolt-ledger-entry\n"))
	sum.Write(body)
	return sum.Sum(nil)
}
