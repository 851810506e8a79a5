export { type StorageConformanceOptions, type StorageSkip, testBackupStorage } from './storage-conformance.ts'
