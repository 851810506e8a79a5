export { parseDuration } from '../../util/parse-duration.ts'
