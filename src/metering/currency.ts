// Intl's own digits are CLDR's, which are customary rather than legal (no decimals for HUF, IDR, IQD) and change with the
// version of Node: stored amounts need those of ISO 4217, table A.1. All the others have two.
const DIGITS_OTHER_THAN_TWO: Readonly<Record<string, number>> = {
  ...digitsOf(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...digitsOf(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...digitsOf(4, 'CLF UYW'),
}

let knownToIntl: ReadonlySet<string> | undefined

/** Whether the text is the code of an ISO 4217 currency, in capitals. */
export function isCurrency(code: string): boolean {
  knownToIntl ??= new Set(Intl.supportedValuesOf('currency'))
  return Object.hasOwn(DIGITS_OTHER_THAN_TWO, code) || knownToIntl.has(code)
}

/**
 * How many decimals amounts in an ISO 4217 currency have: 2 for EUR, 0 for JPY, 3 for KWD.
 *
 * @throws RangeError if the currency is not known.
 */
export function currencyDigits(code: string): number {
  if (!isCurrency(code)) throw new RangeError(`${code} is not a currency of ISO 4217`)
  return DIGITS_OTHER_THAN_TWO[code] ?? 2
}

function digitsOf(digits: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(' ').map((code) => [code, digits]))
}
