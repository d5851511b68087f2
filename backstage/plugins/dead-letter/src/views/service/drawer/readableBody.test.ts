import { SHOWN_BYTES, readableBody } from './readableBody';

function text(content: string, contentType: string | null = null) {
  return {
    encoding: 'text' as const,
    content,
    contentType,
    truncated: false,
    decodedFrom: null,
  };
}

function binary(bytes: number[]) {
  const content = btoa(String.fromCharCode(...bytes));
  return {
    encoding: 'base64' as const,
    content,
    contentType: null,
    truncated: false,
    decodedFrom: null,
  };
}

describe('readableBody', () => {
  it('says of what the service has cut that it is only the beginning', () => {
    const cut = { ...text('lorem'), truncated: true, decodedFrom: null };
    expect(readableBody(cut)).toEqual({
      kind: 'text',
      text: 'lorem',
      cut: true,
    });
  });

  it('lays JSON out, and changes nothing else about it', () => {
    expect(
      readableBody(
        text('{"id":9007199254740993,"a":{},"b":[ ],"a":[1.0,"x: {,}\\"["]}'),
      ),
    ).toEqual({
      kind: 'json',
      cut: false,
      text: `{
  "id": 9007199254740993,
  "a": {},
  "b": [],
  "a": [
    1.0,
    "x: {,}\\"["
  ]
}`,
    });
  });

  it('leaves text as it is', () => {
    expect(readableBody(text('{not json'))).toMatchObject({
      kind: 'text',
      text: '{not json',
    });
    expect(readableBody(text('42'))).toMatchObject({ kind: 'text' });
    expect(readableBody(text('42', 'application/json'))).toMatchObject({
      kind: 'json',
      text: '42',
    });
  });

  it('shows bytes with offsets and ASCII', () => {
    const bytes = [...Array(16).keys(), 0x41, 0x7f, 0xff];
    expect(readableBody(binary(bytes))).toEqual({
      kind: 'hex',
      cut: false,
      text: [
        '00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|',
        `00000010  41 7f ff${' '.repeat(42)}|A..|`,
      ].join('\n'),
    });
  });

  it('shows the beginning of what is too long', () => {
    const long = readableBody(text('x'.repeat(SHOWN_BYTES + 1)));
    expect(long.cut).toBe(true);
    expect(long.text).toHaveLength(SHOWN_BYTES);
    expect(readableBody(text('x'.repeat(SHOWN_BYTES))).cut).toBe(false);
    const json = readableBody(text(JSON.stringify(Array(90_000).fill(1))));
    expect(json).toMatchObject({ kind: 'json', cut: true });
    const content = btoa('x'.repeat(SHOWN_BYTES + 1));
    const bytes = readableBody({
      encoding: 'base64' as const,
      content,
      contentType: null,
      truncated: false,
      decodedFrom: null,
    });
    expect(bytes.cut).toBe(true);
    expect(bytes.text.split('\n')).toHaveLength(SHOWN_BYTES / 16);
  });

  it('knows when there is none', () => {
    expect(readableBody(text(''))).toMatchObject({ kind: 'empty' });
  });
});
