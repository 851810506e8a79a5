export { parsePart } from '../../util/parse-part.ts'
