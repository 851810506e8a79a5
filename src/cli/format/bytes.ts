export { formatBytes } from '../../util/format-bytes.ts'
