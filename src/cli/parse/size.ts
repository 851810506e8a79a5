export { parseSize } from '../../util/parse-size.ts'
