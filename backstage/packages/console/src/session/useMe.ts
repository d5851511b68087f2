import { Me } from '@dead-letter/backstage-plugin-dead-letter-common';
import { answers } from '@dead-letter/backstage-plugin-dead-letter/src/console';
import { useQuery } from '@tanstack/react-query';
import { Session } from './Session';

/** A policy takes effect without a restart: so long it is believed. */
const BELIEVED_MS = 30_000;

const asking = (session: Session) => ({
  queryKey: ['me'],
  queryFn: async (): Promise<Me> => {
    const answer = await session.fetch('/me');
    if (!answer.ok) throw new Error(`/me: ${answer.status}`);
    return answer.json();
  },
  staleTime: BELIEVED_MS,
});

/** Who the caller is, as the service sees it. */
export function askMe(session: Session): Promise<Me> {
  return answers.fetchQuery(asking(session));
}

/** The same, once it is known. */
export function useMe(session: Session): Me | undefined {
  return useQuery(asking(session), answers).data;
}

/** Whether the caller has this permission somewhere. */
export function may(me: Me | undefined, permission: string): boolean {
  const found = me?.permissions.find(each => each.permission === permission);
  return Boolean(found?.everything || found?.services.length);
}
