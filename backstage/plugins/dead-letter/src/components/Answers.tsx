import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { PropsWithChildren } from 'react';

/** How often it is asked again after a failure: the service may be starting. */
const RETRIES = 2;

/** What the service said: one for all views of the plugin, so that what one has asked another shows at once. */
export const answers = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (count, error) => count < RETRIES && isAway(error),
      retryDelay: count => 500 * 2 ** count,
      staleTime: 2_000,
      // What is asked again by itself says so; a table must not change because somebody looked at the logs meanwhile.
      refetchOnWindowFocus: false,
    },
  },
});

export function Answers({ children }: PropsWithChildren<{}>) {
  return <QueryClientProvider client={answers}>{children}</QueryClientProvider>;
}

/** What the service calls a question that takes the database too long. */
const TOO_SLOW = 'too-slow';

/** Whether nothing answered, or nothing that could: it may be there again in a moment. */
export function isAway(error: Error): boolean {
  const { statusCode: status, body } = error as {
    statusCode?: number;
    body?: { type?: string };
  };
  // The service is there: what was asked takes too long, and to ask again at once makes that worse.
  if (body?.type === TOO_SLOW) return false;
  return status === undefined || status >= 500 || status === 429;
}

/** What the service says is wrong; `message` of its errors only says which status it was. */
export function reasonOf(error: Error): string {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : error.message;
}
