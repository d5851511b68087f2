/**
 * Registers dead-letter's permissions, tells dead-letter what Backstage's permission policy allows, and calls it on behalf of users.
 *
 * @packageDocumentation
 */
export { deadLetterBackendPlugin as default } from './plugin';
