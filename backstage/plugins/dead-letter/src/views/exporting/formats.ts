import { DeadLetteredMessage } from '@dead-letter/backstage-plugin-dead-letter-common';

/** How dead letters are written to a file, line by line. */
export interface Format {
  extension: string;
  mediaType: string;
  /** Before the first; empty where there is none. */
  head: string;
  line: (message: DeadLetteredMessage) => string;
}

const COLUMNS = [
  'id',
  'receivedAt',
  'diedAt',
  'service',
  'squad',
  'status',
  'broker',
  'vhost',
  'queue',
  'exchange',
  'routingKey',
  'source',
  'messageId',
  'correlationId',
  'type',
  'reason',
  'errorType',
  'errorMessage',
  'errorGroup',
  'attempts',
  'redeliveries',
  'bodySize',
] as const;

/** How a spreadsheet may take a text for a formula: OWASP, CSV injection. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** A field of RFC 4180. A text that a spreadsheet would run begins with an apostrophe instead. */
export function csvField(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return `"${text.replaceAll('"', '""')}"`;
}

const csvLine = (fields: (string | number | null | undefined)[]) =>
  `${fields.map(csvField).join(',')}\r\n`;

export const FORMATS = {
  ndjson: {
    extension: 'ndjson',
    mediaType: 'application/x-ndjson',
    head: '',
    line: message => `${JSON.stringify(message)}\n`,
  },
  csv: {
    extension: 'csv',
    mediaType: 'text/csv;charset=utf-8',
    head: csvLine([...COLUMNS]),
    line: message => csvLine(COLUMNS.map(name => message[name])),
  },
} satisfies Record<string, Format>;
