import { MessageBody } from '@dead-letter/backstage-plugin-dead-letter-common';
import { hexDump } from './hexDump';
import { layOut } from './layOut';

/** Of longer bodies only the beginning is shown: a browser would stand still. */
export const SHOWN_BYTES = 256 * 1024;

/** A body as it is read. */
export interface ReadableBody {
  kind: 'json' | 'text' | 'hex' | 'empty';
  text: string;
  /** Whether that is only its beginning. */
  cut: boolean;
}

/** JSON laid out, other text as it is, and all else byte by byte. */
export function readableBody(body: MessageBody): ReadableBody {
  const { content } = body;
  if (content === '') return { kind: 'empty', text: '', cut: false };
  if (body.encoding === 'base64') {
    const { text, cut } = hexDump(content, SHOWN_BYTES);
    return { kind: 'hex', text, cut: cut || body.truncated };
  }
  const text = isJson(body) ? layOut(content, SHOWN_BYTES) : content;
  return {
    kind: isJson(body) ? 'json' : 'text',
    text: text.slice(0, SHOWN_BYTES),
    cut: text.length > SHOWN_BYTES || body.truncated,
  };
}

/** A lone number or word is text, unless it is said to be JSON. */
function isJson({ content, contentType }: MessageBody): boolean {
  if (!/^\s*[[{]/.test(content) && !contentType?.includes('json')) return false;
  try {
    JSON.parse(content);
    return true;
  } catch {
    return false;
  }
}
