/** Whether `npm run test:system -- --full` was asked for: every kill and every row, rather than a slice. */
export const full = process.env.AUTOVOLT_FULL === '1'
