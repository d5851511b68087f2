import { isAway, pauseBefore } from './Answers';

function refusal(status: number, type: string, seconds?: string) {
  const headers = new Headers(seconds ? { 'retry-after': seconds } : {});
  return Object.assign(new Error('refused'), {
    statusCode: status,
    body: { type },
    response: { headers },
  });
}

describe('what is asked again', () => {
  it('waits as long as the service says, where there are too many requests', () => {
    expect(pauseBefore(0, refusal(429, 'too-many-requests', '3'))).toBe(3_000);
    expect(pauseBefore(0, refusal(429, 'too-many-requests', '900'))).toBe(
      30_000,
    );
    expect(pauseBefore(1, refusal(429, 'too-many-requests'))).toBe(1_000);
    expect(pauseBefore(1, refusal(503, 'unavailable', '2'))).toBe(1_000);
  });

  it('is not what is refused for longer', () => {
    expect(isAway(refusal(429, 'too-many-requests', '3'))).toBe(true);
    expect(isAway(refusal(429, 'too-many-plans', '300'))).toBe(false);
    expect(isAway(refusal(503, 'too-slow', '30'))).toBe(false);
    expect(isAway(refusal(503, 'unavailable', '2'))).toBe(true);
  });
});
