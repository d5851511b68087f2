/** A header's value with its type, as `typedHeaders` has it: the tag is the one on the wire. */
export interface TypedValue {
  t: string;
  v: unknown;
  /** `base64` where the value is bytes. */
  encoding?: string;
}

const TYPES = {
  t: 'boolean',
  b: 'signed8',
  B: 'unsigned8',
  s: 'signed16',
  u: 'unsigned16',
  I: 'signed32',
  i: 'unsigned32',
  l: 'signed64',
  f: 'float',
  d: 'double',
  D: 'decimal',
  S: 'text',
  x: 'bytes',
  A: 'list',
  T: 'time',
  F: 'table',
  V: 'void',
} as const;

type AmqpType = (typeof TYPES)[keyof typeof TYPES] | 'binaryText' | 'other';

/** What its tag means. */
export function amqpType({ t, encoding }: TypedValue): AmqpType {
  if (t === 'S' && encoding === 'base64') return 'binaryText';
  return t in TYPES ? TYPES[t as keyof typeof TYPES] : 'other';
}

/** Value × 10^-scale, with all its digits. */
export function sayDecimal(scale: number, value: number): string {
  const digits = String(value).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return scale > 0
    ? `${digits.slice(0, point)}.${digits.slice(point)}`
    : digits;
}
