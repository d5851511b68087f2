import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { PropsWithChildren } from 'react';

/** How often it is asked again after a failure: the service may be starting. */
const RETRIES = 2;

/** What the service said: one for all views of the plugin, so that what one has asked another shows at once. */
export const answers = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (count, error) => count < RETRIES && isAway(error),
      retryDelay: pauseBefore,
      staleTime: 2_000,
      // What is asked again by itself says so; a table must not change because somebody looked at the logs meanwhile.
      refetchOnWindowFocus: false,
    },
  },
});

export function Answers({ children }: PropsWithChildren<{}>) {
  return <QueryClientProvider client={answers}>{children}</QueryClientProvider>;
}

/** Longest pause before a question is asked again, in milliseconds. */
const LONGEST_PAUSE = 30_000;

/** As long as the service says where there were too many requests, otherwise a moment. */
export function pauseBefore(count: number, error: Error): number {
  const { statusCode: status, response } = error as {
    statusCode?: number;
    response?: { headers?: { get(name: string): string | null } };
  };
  const seconds = Number(response?.headers?.get('retry-after') ?? 0);
  if (status !== 429 || !(seconds > 0)) return 500 * 2 ** count;
  return Math.min(seconds * 1_000, LONGEST_PAUSE);
}

/** What the service calls a question that takes the database too long. */
const TOO_SLOW = 'too-slow';

/** What it calls too many requests. Of plans, say, there are too many for longer. */
const TOO_MANY_REQUESTS = 'too-many-requests';

/** Whether nothing answered, or nothing that could: it may be there again in a moment. */
export function isAway(error: Error): boolean {
  const { statusCode: status, body } = error as {
    statusCode?: number;
    body?: { type?: string };
  };
  // The service is there: what was asked takes too long, and to ask again at once makes that worse.
  if (body?.type === TOO_SLOW) return false;
  if (status === 429)
    return (body?.type ?? TOO_MANY_REQUESTS) === TOO_MANY_REQUESTS;
  return status === undefined || status >= 500;
}

/** What the service says is wrong; `message` of its errors only says which status it was. */
export function reasonOf(error: Error): string {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : error.message;
}
