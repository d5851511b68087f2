import {
  useApi,
  useAppSearchParams,
  useRouteRef,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Container, Header } from '@backstage/ui';
import { PropsWithChildren } from 'react';
import { deadLetterApiRef } from '../api/DeadLetterApi';
import { EVERY_MS } from '../hooks/every';
import { useAnswer } from '../hooks/useDeadLetter';
import {
  ENVIRONMENT_PARAMETER,
  useWrongEnvironment,
} from '../hooks/useEnvironment';
import { useMay } from '../hooks/useMay';
import {
  auditRouteRef,
  operationsRouteRef,
  searchRouteRef,
  shiftLogRouteRef,
  squadsRouteRef,
} from '../routes';
import { deadLetterTranslationRef } from '../translation';
import { sayNumber } from '../views/operations/say';
import { Answers } from './Answers';
import { Guarded } from './Guarded';

interface PluginPageProps {
  /** Which of the views it is; none of those that have a tab where it is undefined. */
  view?: 'squads' | 'operations' | 'search' | 'shiftLog' | 'audit';
}

/** A view of the page in the sidebar, below its title and the way to the other views. */
export function PluginPage({
  view,
  children,
}: PropsWithChildren<PluginPageProps>) {
  return (
    <Answers>
      <Head view={view} />
      <Container>
        <Guarded>{children}</Guarded>
      </Container>
    </Answers>
  );
}

function Head({ view }: PluginPageProps) {
  const { environments } = useApi(deadLetterApiRef);
  const wrong = useWrongEnvironment();
  return environments.length === 0 || wrong !== undefined ? (
    <Tabs view={view} paused={0} />
  ) : (
    <TabsWithPaused view={view} />
  );
}

/** So many paused operations are counted. */
const PAUSED = 50;

/** A paused operation waits for somebody: it is not to be forgotten. */
function TabsWithPaused({ view }: PluginPageProps) {
  const { data } = useAnswer(
    ['operations', 'paused'],
    (client, signal) =>
      client.operations({ state: 'paused', limit: PAUSED }, signal),
    { every: EVERY_MS, keep: false },
  );
  return <Tabs view={view} paused={data?.operations.length ?? 0} />;
}

function Tabs({ view, paused }: PluginPageProps & { paused: number }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [parameters] = useAppSearchParams();
  const environment = parameters.get(ENVIRONMENT_PARAMETER);
  const query = environment
    ? `?${new URLSearchParams({ [ENVIRONMENT_PARAMETER]: environment })}`
    : '';
  const squads = useRouteRef(squadsRouteRef)?.() ?? '';
  const search = useRouteRef(searchRouteRef)?.() ?? '';
  const operations = useRouteRef(operationsRouteRef)?.() ?? '';
  const shiftLog = useRouteRef(shiftLogRouteRef)?.() ?? '';
  const audit = useRouteRef(auditRouteRef)?.() ?? '';
  const { allowed } = useMay('admin');
  return (
    <Header
      title={t('title')}
      tabs={[
        { id: 'squads', label: t('squads.title'), href: squads + query },
        { id: 'search', label: t('search.title'), href: search + query },
        {
          id: 'operations',
          label:
            paused > 0
              ? t('operations.titlePaused', { number: sayNumber(paused) })
              : t('operations.title'),
          href: operations + query,
        },
        { id: 'shiftLog', label: t('shiftLog.title'), href: shiftLog + query },
        ...(allowed
          ? [{ id: 'audit', label: t('audit.title'), href: audit + query }]
          : []),
      ]}
      activeTabId={view ?? null}
    />
  );
}
