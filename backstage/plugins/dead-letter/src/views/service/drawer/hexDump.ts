const PER_LINE = 16;

/** Bytes in base64, at most so many of them, as offsets, bytes and ASCII. */
export function hexDump(
  base64: string,
  limit: number,
): { text: string; cut: boolean } {
  // Three bytes to four letters: no more than what is shown needs to be decoded.
  const head = base64.slice(0, Math.ceil((limit + 1) / 3) * 4);
  const bytes = Uint8Array.from(atob(head), each => each.charCodeAt(0));
  const shown = bytes.subarray(0, limit);
  const lines = [];
  for (let offset = 0; offset < shown.length; offset += PER_LINE) {
    lines.push(line(offset, shown.subarray(offset, offset + PER_LINE)));
  }
  return { text: lines.join('\n'), cut: bytes.length > limit };
}

function line(offset: number, bytes: Uint8Array): string {
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0'));
  const left = hex.slice(0, PER_LINE / 2).join(' ');
  const right = hex.slice(PER_LINE / 2).join(' ');
  const ascii = Array.from(bytes, byte =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  ).join('');
  return `${offset.toString(16).padStart(8, '0')}  ${left.padEnd(
    23,
  )}  ${right.padEnd(23)}  |${ascii}|`;
}
