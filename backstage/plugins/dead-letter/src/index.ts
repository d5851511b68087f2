/**
 * Dead letters of RabbitMQ in Backstage.
 *
 * @packageDocumentation
 */
export { deadLetterPlugin as default } from './plugin';
export { deadLetterApiRef } from './api/DeadLetterApi';
export type {
  AuditRequest,
  DeadLetterApi,
  DeadLetterClient,
  HistogramBy,
  IncidentsRequest,
  OperationsRequest,
  PageRequest,
  ShiftLogRequest,
} from './api/DeadLetterApi';
export type { Environment } from './api/environments';
export { deadLetterTranslationRef } from './translation';
