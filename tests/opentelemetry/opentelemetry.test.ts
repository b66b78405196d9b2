import { reportMetrics, traceCalls } from '@autovolt/data/opentelemetry'
import { context, type Meter, type Tracer, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aSwitchInLedger, readings } from '../ledger/support/events.js'
import { aClassroom } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { monitorCommands: true })
  await volt.setup()
})

describe('spans', () => {
  const exporter = new InMemorySpanExporter()
  const tracer: Tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer(
    'test',
  )

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    cleanUpLater(async () => context.disable())
  })

  it('are made of each call, within the span that is active, and have no value', async () => {
    const stop = traceCalls(volt, tracer)
    const request = tracer.startSpan('request')
    await context.with(trace.setSpan(context.active(), request), async () => {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const { _id } = await volt.classrooms.create(aClassroom({ name: `a secret room ${Math.random()}` }))
          await volt.classrooms.get(_id)
        }),
      )
    })
    request.end()
    stop()
    await volt.classrooms.count()
    const spans = exporter.getFinishedSpans().filter(({ name }) => name !== 'request')
    const ofRooms = spans.filter(({ attributes }) => attributes['db.collection.name'] === 'classrooms')
    expect(ofRooms.map(({ name }) => name).filter((name) => name === 'find classrooms')).toHaveLength(20)
    expect(ofRooms.map(({ name }) => name).filter((name) => name === 'insert classrooms')).toHaveLength(20)
    for (const span of ofRooms) {
      expect(span.kind).toBe(2)
      expect(span.status.code).toBe(0)
      expect(span.parentSpanContext?.spanId).toBe(request.spanContext().spanId)
      expect(span.attributes).toEqual({
        'db.system.name': 'mongodb',
        'db.namespace': database.dbName,
        'db.operation.name': expect.stringMatching(/^(find|insert)$/) as string,
        'db.query.summary': span.name,
        'db.collection.name': 'classrooms',
        'server.address': '127.0.0.1',
        'server.port': expect.any(Number) as number,
      })
    }
    expect(JSON.stringify(spans.map(({ name, attributes, events }) => [name, attributes, events]))).not.toContain(
      'secret',
    )
    expect(spans.some(({ name }) => name.startsWith('aggregate'))).toBe(false)
  })

  it('say why a call has failed, by its number', async () => {
    exporter.reset()
    const stop = traceCalls(volt, tracer)
    const collection = volt.database.native.collection('classrooms')
    await expect(collection.updateOne({}, { $badOperator: 'a secret' } as never)).rejects.toThrow()
    await expect(collection.find({ $badOperator: 'a secret' }).toArray()).rejects.toThrow()
    stop()
    expect(
      exporter
        .getFinishedSpans()
        .map(({ status, attributes }) => [status, attributes['error.type'], attributes['db.response.status_code']]),
    ).toEqual([
      [{ code: 2 }, '9', '9'],
      [{ code: 2 }, '2', '2'],
    ])
  })

  it('of a tracer that fails disturb no call', async () => {
    const warnings: string[] = []
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (_: unknown, message: string) => void warnings.push(message),
      error: () => undefined,
    }
    const logged = await openVolt(database, { monitorCommands: true, logger })
    const broken = {
      startSpan: () => {
        throw new Error('no')
      },
    } as unknown as Tracer
    const stop = traceCalls(logged, broken)
    expect(await logged.classrooms.count()).toBeGreaterThan(0)
    stop()
    expect(warnings).toContain('an observer of calls failed')
  })
})

describe('metrics', () => {
  it('have durations and the pool by the semantic conventions, and the library’s own', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const provider = new MeterProvider({ readers: [reader] })
    cleanUpLater(() => provider.shutdown())
    const meter: Meter = provider.getMeter('test')
    const stop = reportMetrics(volt, meter)
    await volt.classrooms.count()
    await volt.ledger.append(readings(3))
    await reader.forceFlush()
    const found = new Map(
      exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .map((metric) => [metric.descriptor.name, metric]),
    )
    const duration = found.get('db.client.operation.duration')
    expect(duration?.descriptor).toMatchObject({
      unit: 's',
      advice: { explicitBucketBoundaries: expect.arrayContaining([0.001, 10]) as number[] },
    })
    expect(duration?.dataPoints.map(({ attributes }) => attributes['db.query.summary'])).toContain(
      'aggregate classrooms',
    )
    const states = found.get('db.client.connection.count')?.dataPoints.map(({ attributes }) => attributes)
    expect(states).toEqual([
      { 'db.client.connection.pool.name': 'autovolt', 'db.client.connection.state': 'used' },
      { 'db.client.connection.pool.name': 'autovolt', 'db.client.connection.state': 'idle' },
    ])
    expect(found.get('autovolt.ledger.entries')).toMatchObject({
      descriptor: { unit: '{entry}' },
      dataPoints: [{ value: 3 }],
    })
    const sizes = found.get('autovolt.collection.storage')
    expect(sizes?.descriptor.unit).toBe('By')
    expect(sizes?.dataPoints.map(({ attributes }) => attributes['db.collection.name'])).toContain('classrooms')
    stop()
    await volt.ledger.append(readings(2, aSwitchInLedger(), 'later'))
    exporter.reset()
    await reader.forceFlush()
    const later = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    const values = later.filter(({ descriptor }) => descriptor.name === 'autovolt.ledger.entries')
    // The meter may go on showing what it was given last.
    expect(values.flatMap(({ dataPoints }) => dataPoints.map(({ value }) => value))).not.toContain(5)
  })

  it('and spans need the events of the driver', async () => {
    const silent = await openVolt(database)
    const tracer = trace.getTracer('none')
    expect(() => traceCalls(silent, tracer)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
    expect(() => traceCalls(volt, {} as Tracer)).toThrow(expect.objectContaining({ code: 'VALIDATION' }))
    expect(() => reportMetrics(volt, {} as Meter)).toThrow(expect.objectContaining({ code: 'VALIDATION' }))
  })
})
