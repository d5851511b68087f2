// What the console of dead-letter is made of, beside the views: packages/console. It is no part of the published package.
export { deadLetterApiRef } from './api/DeadLetterApi';
export type { DeadLetterClient } from './api/DeadLetterApi';
export { ProxiedDeadLetter } from './api/ProxiedDeadLetter';
export { answers } from './components/Answers';
export { FIND_PARAMETER, MESSAGE_PARAMETER } from './hooks/useMessagePath';
export { OPERATION_PARAMETER } from './hooks/useOperationPath';
export * from './routes';
