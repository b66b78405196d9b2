import { collection } from './collection.js'

/** Values that are called the same here. */
const same = (words: string) => Object.fromEntries(words.split(' ').map((word) => [word, word]))

/** What becomes of the tables of SolChain. */
export const solchain = [
  collection(
    'users',
    'users',
    {
      'id as _id': 'adoption_extras.originId',
      email: 'users.email',
      first_name: 'users.name and users.firstName',
      last_name: 'users.name and users.lastName',
      role: 'users.userType and users.role',
      is_active: 'users.status',
      password_hash: 'users.password, if it is a bcrypt hash',
      phone: 'users.profile.phone',
    },
    {
      role: { prosumer: 'prosumer', producer: 'producer', validator: 'staff', '*': 'consumer' },
      rights: { '*': 'user' },
    },
  ),
  collection(
    'iot_devices',
    'devices',
    {
      'id as _id': 'adoption_extras.originId',
      device_id: 'which rows of energy_data are its own',
      user_id: 'devices.owner',
      device_type: 'devices.energyRole',
      device_name: 'devices.name',
      mac_address: 'devices.macAddress',
      firmware_version: 'devices.firmwareVersion',
    },
    {
      device_type: { solar_panel: 'production', inverter: 'production', battery: 'storage', '*': 'consumption' },
    },
  ),
  collection('energy_data', 'energy_measurements and power_consumption_ledger', {
    'id as _id': 'metadata.originalRecordId',
    device_id: 'meta.device',
    user_id: 'meta.owner',
    timestamp: 'timestamp',
    energy_produced: 'energy_amount of production; adjustment.productionWs',
    energy_consumed: 'energy_amount of consumption; adjustment.energyWs',
    battery_level: 'battery_soc',
  }),
  collection(
    'trading',
    'market_orders',
    {
      'id as _id': 'adoption_extras.originId',
      seller_id: 'market_orders.user, of an offer to sell',
      buyer_id: 'market_orders.user, of an offer to buy',
      energy_amount: 'market_orders.energyKwh',
      price_per_kwh: 'market_orders.pricePerKwh',
      total_price: 'whether it agrees with itself',
      offer_type: 'market_orders.side',
      status: 'market_orders.status',
      created_at: 'market_orders.createdAt and market_orders.availableFrom',
      expires_at: 'market_orders.availableUntil',
      matched_at: 'market_orders.endedAt, where completed_at is not known',
      completed_at: 'market_orders.endedAt',
    },
    {
      offer_type: { sell: 'sell', offer: 'sell', buy: 'buy', bid: 'buy', request: 'buy', '*': 'nothing' },
      status: {
        completed: 'completed',
        cancelled: 'cancelled',
        canceled: 'cancelled',
        failed: 'cancelled',
        expired: 'expired',
        pending: 'offered',
        active: 'offered',
        matched: 'undecided',
        partial: 'undecided',
        disputed: 'undecided',
        '*': 'nothing',
      },
    },
  ),
  collection(
    'transactions',
    'market_transactions',
    {
      'id as _id': 'adoption_extras.originId and market_transactions.metadata.originalRecordId',
      from_user_id: 'market_transactions.from',
      to_user_id: 'market_transactions.to',
      amount: 'market_transactions.amount',
      transaction_type: 'market_transactions.type',
      status: 'market_transactions.status',
      reference_id: 'market_transactions.sellOrder or buyOrder, energyKwh and pricePerKwh: those of its trade',
      transaction_hash: 'market_transactions.chainHash',
      block_number: 'market_transactions.blockNumber',
      gas_fee: 'market_transactions.gasFee',
      confirmation_count: 'market_transactions.confirmations',
      description: 'market_transactions.description',
      created_at: 'market_transactions.createdAt',
      confirmed_at: 'market_transactions.confirmedAt',
    },
    {
      transaction_type: {
        ...same('energy_trade staking_reward token_transfer fee_payment governance_reward penalty'),
        trade: 'energy_trade',
        reward: 'staking_reward',
        transfer: 'token_transfer',
        fee: 'fee_payment',
        '*': 'nothing',
      },
      status: { ...same('pending confirmed failed cancelled'), completed: 'confirmed', '*': 'nothing' },
    },
  ),
]
