import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUpLater } from '../../support/clean-up.js'

const { Database } = createRequire(import.meta.url)('node-sqlite3-wasm') as typeof import('node-sqlite3-wasm')

type Value = string | number | bigint | Uint8Array | null
type Row = Readonly<Record<string, Value>>

/** The five tables as SolChain's migrations describe them, with the types that Knex declares for SQLite. */
const schema = `
create table users (id integer not null primary key autoincrement, email varchar(255) not null unique, phone varchar(255),
  password_hash varchar(255), first_name varchar(255), last_name varchar(255), wallet_address varchar(255) unique,
  kyc_status varchar(255) default 'pending', kyc_documents json, two_factor_enabled boolean default '0',
  role varchar(255) default 'consumer', is_active boolean default '1', last_login datetime, email_verified_at datetime,
  phone_verified_at datetime, created_at datetime default CURRENT_TIMESTAMP, updated_at datetime default CURRENT_TIMESTAMP);
create table energy_data (id integer not null primary key autoincrement, user_id integer not null references users(id),
  device_id varchar(255) not null, timestamp datetime not null, energy_produced float default '0', energy_consumed float default '0',
  battery_level float, battery_capacity float, grid_connection boolean default '1', weather_temperature float,
  weather_solar_irradiance float, weather_cloud_cover float, system_efficiency float, carbon_offset float,
  anomaly_detected boolean default '0', data_hash varchar(255), created_at datetime default CURRENT_TIMESTAMP);
create table trading (id integer not null primary key autoincrement, seller_id integer references users(id),
  buyer_id integer references users(id), energy_amount float not null, price_per_kwh float not null, total_price float not null,
  offer_type varchar(255), status varchar(255) default 'pending', priority varchar(255) default 'medium', expires_at datetime,
  contract_address varchar(255), transaction_hash varchar(255), escrow_address varchar(255), dispute_status varchar(255) default 'none',
  dispute_reason text, completion_proof text, created_at datetime default CURRENT_TIMESTAMP, matched_at datetime, completed_at datetime);
create table transactions (id integer not null primary key autoincrement, from_user_id integer references users(id),
  to_user_id integer references users(id), amount float not null, transaction_type varchar(255), status varchar(255) default 'pending',
  transaction_hash varchar(255) unique, block_number integer, gas_used integer, gas_fee float, description text, reference_id integer,
  metadata json, nonce integer, confirmation_count integer default '0', created_at datetime default CURRENT_TIMESTAMP,
  confirmed_at datetime, failed_at datetime);
create table iot_devices (id integer not null primary key autoincrement, user_id integer references users(id),
  device_id varchar(255) not null unique, device_type varchar(255), device_name varchar(255), manufacturer varchar(255),
  model varchar(255), serial_number varchar(255) unique, firmware_version varchar(255), mac_address varchar(255) unique,
  ip_address varchar(255), location_latitude float, location_longitude float, location_address varchar(255),
  status varchar(255) default 'offline', last_seen datetime, last_data_sync datetime, calibration_date date, installation_date date,
  warranty_expiry date, configuration json, health_score integer, error_count integer default '0', maintenance_schedule datetime,
  created_at datetime default CURRENT_TIMESTAMP, updated_at datetime default CURRENT_TIMESTAMP);
`

/** A file of SQLite that a test writes. */
export class SolchainFile {
  readonly path: string
  readonly #database: InstanceType<typeof Database>

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'autovolt-solchain-'))
    this.path = join(folder, 'solchain.db')
    this.#database = new Database(this.path)
    // As a client that Knex opens.
    this.#database.exec('pragma foreign_keys = off')
    this.#database.exec(schema)
    cleanUpLater(async () => {
      this.#database.close()
      await rm(folder, { recursive: true })
    })
  }

  run(sql: string, ...values: readonly Value[]): void {
    this.#database.run(sql, [...values])
  }

  add(table: string, rows: readonly Row[]): this {
    this.#database.exec('begin')
    for (const row of rows) {
      const columns = Object.keys(row)
      const places = columns.map(() => '?').join(', ')
      this.run(`insert into ${table} (${columns.join(', ')}) values (${places})`, ...Object.values(row))
    }
    this.#database.exec('commit')
    return this
  }
}

/** Two who trade: 1 sells, 2 buys. */
export const traders = [
  {
    id: 1,
    email: 'sun@example.org',
    first_name: 'Sun',
    last_name: 'Rahman',
    role: 'prosumer',
    wallet_address: `0x${'1'.repeat(40)}`,
  },
  { id: 2, email: 'lamp@example.org', first_name: 'Lamp', last_name: 'Sen', role: 'consumer' },
]

/** A trade that has come about, as the origin's server writes it: the total is computed in doubles. */
export function trade(id: number, fields: Row = {}) {
  const [energy_amount, price_per_kwh] = [0.3, 0.1]
  return {
    id,
    seller_id: 1,
    buyer_id: 2,
    energy_amount,
    price_per_kwh,
    total_price: energy_amount * price_per_kwh,
    offer_type: 'sell',
    status: 'completed',
    expires_at: '2025-08-23 00:00:00',
    created_at: '2025-08-22 12:10:00',
    completed_at: '2025-08-22 12:15:00',
    ...fields,
  }
}

/** Its payment. */
export function payment(id: number, reference_id: number, fields: Row = {}) {
  return {
    id,
    from_user_id: 2,
    to_user_id: 1,
    amount: 0.3 * 0.1,
    transaction_type: 'trade',
    status: 'confirmed',
    transaction_hash: `0x${id.toString(16).padStart(64, '0')}`,
    block_number: 100 + id,
    gas_fee: 0.00042,
    reference_id,
    confirmation_count: 12,
    created_at: '2025-08-22 12:16:00',
    confirmed_at: '2025-08-22 12:17:00',
    ...fields,
  }
}
