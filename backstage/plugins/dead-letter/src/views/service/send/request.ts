import {
  CreateOperation,
  DeadLetteredMessageDetails,
} from '@dead-letter/backstage-plugin-dead-letter-common';

/** What is done with one message beside putting it back. */
export type Sending = 'edit' | 'copy';

/** What was typed. */
export interface Typed {
  exchange: string;
  routingKey: string;
  body: string;
  setHeaders: string;
  removeHeaders: string;
}

/** Why there is nothing to preview yet. */
export type Lack = 'wrongHeaders' | 'unchanged' | 'noTarget';

/** The body as text, where all of it is here and is text. */
export function textOf({
  body,
}: DeadLetteredMessageDetails): string | undefined {
  const isText = body.encoding === 'text' && !body.decodedFrom;
  return isText && !body.truncated ? body.content : undefined;
}

/** What the service is asked, or what is missing. */
export function requestOf(
  sending: Sending,
  message: DeadLetteredMessageDetails,
  typed: Typed,
): CreateOperation | Lack {
  const set = headersOf(typed.setHeaders);
  if (!set) return 'wrongHeaders';
  const remove = typed.removeHeaders
    .split(',')
    .map(name => name.trim())
    .filter(Boolean);
  const text = textOf(message);
  const hasBody = text !== undefined && typed.body !== text;
  const hasHeaders = Object.keys(set).length + remove.length > 0;
  const isEdited = hasBody || hasHeaders;
  if (sending === 'edit' && !isEdited) return 'unchanged';
  if (sending === 'copy' && !typed.routingKey) return 'noTarget';
  return {
    kind: 'redeliver',
    ids: [message.id],
    ...(isEdited && {
      edit: {
        ...(hasBody && { body: { text: typed.body } }),
        ...(hasHeaders && { headers: { set, remove } }),
      },
    }),
    ...(sending === 'copy' && {
      copy: true,
      to: { exchange: typed.exchange, routingKey: typed.routingKey },
    }),
  } as CreateOperation;
}

function headersOf(text: string): Record<string, unknown> | undefined {
  if (!text.trim()) return {};
  try {
    const value = JSON.parse(text);
    const isObject =
      typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? value : undefined;
  } catch {
    return undefined;
  }
}
