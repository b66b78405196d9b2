import { describe, expect, it } from 'vitest'
import { checkWalletAddress } from '../../src/identity/wallet-address.js'

// The vectors of EIP-55.
const spelled = [
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
]

describe('the address of a wallet', () => {
  it.each(spelled)('%s has the checksum of EIP-55', (address) => {
    expect(checkWalletAddress(address)).toEqual({
      address: address.toLowerCase(),
      checksumAddress: address,
      checksum: 'correct',
    })
  })

  it.each([
    ['0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', 'wrong'],
    ['0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed', 'absent'],
    ['0X5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED ', 'absent'],
    [` ${'0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'}`, 'correct'],
  ])('%s has a checksum that is %s', (address, checksum) => {
    expect(checkWalletAddress(address).checksum).toBe(checksum)
  })

  it.each(['', '0x', 'asha', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe', 5 as never])('is not %j', (address) => {
    expect(() => checkWalletAddress(address)).toThrow(/expected/)
  })
})
