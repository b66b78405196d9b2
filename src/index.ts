export { AutoVolt } from './autovolt.js'
