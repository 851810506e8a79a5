export { formatDuration } from '../../util/format-duration.ts'
