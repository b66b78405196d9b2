import { keccak_256 } from '@noble/hashes/sha3.js'
import { z } from 'zod'
import { validateData } from '../core/validate.js'

const addressForm = /^0x[0-9a-f]{40}$/
const maximumLength = 100
const error = 'expected 0x and 40 hexadecimal digits'

/** The address of a wallet on an Ethereum-like chain, kept trimmed and in lower case; inputs may give any spelling of it. */
export const walletAddress = () =>
  z
    .string()
    .max(maximumLength, { error, abort: true })
    .transform((text) => text.trim().toLowerCase())
    .pipe(z.string().regex(addressForm, { error }))

/** What the spelling of a wallet's address says. */
export interface WalletAddressReport {
  /** As it is stored: in lower case. */
  readonly address: string
  /** The spelling with its checksum. */
  readonly checksumAddress: string
  /** Whether the given spelling has the checksum: digits of one case only have none. */
  readonly checksum: 'correct' | 'wrong' | 'absent'
}

/**
 * Looks at the checksum that the case of an address's letters is (EIP-55). A wrong one is reported and not refused: users
 * store addresses in whatever spelling another program gave them.
 * @throws ValidationError if it is no address.
 */
export function checkWalletAddress(spelling: string): WalletAddressReport {
  const address = validateData(walletAddress(), spelling, 'The wallet address')
  const checksumAddress = withChecksum(address)
  const digits = spelling.trim().slice(2)
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase()
  const checksum = !isMixed ? 'absent' : digits === checksumAddress.slice(2) ? 'correct' : 'wrong'
  return { address, checksumAddress, checksum }
}

/** What a write reports of an address whose spelling has a wrong checksum; the address itself is not in it. */
export function doubtChecksum(spelling: string): string | undefined {
  return checkWalletAddress(spelling).checksum === 'wrong'
    ? 'The spelling of a wallet address has a wrong checksum (EIP-55), and is taken all the same: ask its owner, or look at it with checkWalletAddress()'
    : undefined
}

/** The address in the spelling of EIP-55: a letter is upper case where the same digit of the address's Keccak-256 is 8 or more. */
export function withChecksum(address: string): string {
  const digits = address.slice(2)
  const hash = Buffer.from(keccak_256(Buffer.from(digits, 'ascii'))).toString('hex')
  const spelled = [...digits].map((digit, at) =>
    Number.parseInt(hash.charAt(at), 16) >= 8 ? digit.toUpperCase() : digit,
  )
  return `0x${spelled.join('')}`
}
