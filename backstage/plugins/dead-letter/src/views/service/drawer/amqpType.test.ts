import { amqpType, sayDecimal } from './amqpType';

describe('amqpType', () => {
  it('tells letters apart that differ in case only', () => {
    const types = [...'bBsuIilfdDStxATFV'].map(t => amqpType({ t, v: null }));
    expect(new Set(types).size).toBe(17);
    expect(amqpType({ t: 'I', v: 1 })).toBe('signed32');
    expect(amqpType({ t: 'i', v: 1 })).toBe('unsigned32');
  });

  it('knows a string that is not UTF-8, and what it does not know', () => {
    expect(amqpType({ t: 'S', v: '/w==', encoding: 'base64' })).toBe(
      'binaryText',
    );
    expect(amqpType({ t: '?', v: 1 })).toBe('other');
  });
});

describe('sayDecimal', () => {
  it('keeps all digits', () => {
    expect(sayDecimal(2, 12345)).toBe('123.45');
    expect(sayDecimal(3, 5)).toBe('0.005');
    expect(sayDecimal(0, 7)).toBe('7');
  });
});
