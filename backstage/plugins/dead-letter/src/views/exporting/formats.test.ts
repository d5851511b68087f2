import { FORMATS, csvField } from './formats';
import { exampleOf, openApi } from '../../testing/document';

const message: any = exampleOf(openApi.components.schemas.DeadLetteredMessage);

describe('csvField', () => {
  it('quotes texts', () => {
    expect(csvField('a "b", c')).toBe('"a ""b"", c"');
    expect(csvField(3)).toBe('3');
    expect(csvField(null)).toBe('');
    expect(csvField(undefined)).toBe('');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1'])(
    'lets no spreadsheet run %j',
    text => {
      expect(csvField(text)).toBe(`"'${text}"`);
    },
  );

  it('leaves other texts as they are', () => {
    expect(csvField('a=b')).toBe('"a=b"');
  });
});

describe('FORMATS', () => {
  it('has a value in each column of CSV', () => {
    const columns = FORMATS.csv.head.split(',');
    const line = FORMATS.csv.line({ ...message, errorMessage: 'plain' });
    expect(line.split(',')).toHaveLength(columns.length);
    expect(line).toContain(`"${message.id}"`);
    expect(line.endsWith('\r\n')).toBe(true);
  });

  it('has a dead letter in each line of NDJSON', () => {
    const line = FORMATS.ndjson.line({
      ...message,
      errorMessage: 'two\nlines',
    });
    expect(line.trimEnd()).not.toContain('\n');
    expect(JSON.parse(line).errorMessage).toBe('two\nlines');
  });
});
