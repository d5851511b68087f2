import {
  useAppSearchParams,
  useRouteRef,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Container, Header } from '@backstage/ui';
import { PropsWithChildren } from 'react';
import { ENVIRONMENT_PARAMETER } from '../hooks/useEnvironment';
import { operationsRouteRef, squadsRouteRef } from '../routes';
import { deadLetterTranslationRef } from '../translation';
import { Guarded } from './Guarded';

/** A view of the page in the sidebar, below its title and the way to the other view. */
export function PluginPage({
  view,
  children,
}: PropsWithChildren<{ view: 'squads' | 'operations' }>) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [parameters] = useAppSearchParams();
  const environment = parameters.get(ENVIRONMENT_PARAMETER);
  const query = environment
    ? `?${new URLSearchParams({ [ENVIRONMENT_PARAMETER]: environment })}`
    : '';
  const squads = useRouteRef(squadsRouteRef)?.() ?? '';
  const operations = useRouteRef(operationsRouteRef)?.() ?? '';
  return (
    <>
      <Header
        title={t('title')}
        tabs={[
          { id: 'squads', label: t('squads.title'), href: squads + query },
          {
            id: 'operations',
            label: t('operations.title'),
            href: operations + query,
          },
        ]}
        activeTabId={view}
      />
      <Container>
        <Guarded>{children}</Guarded>
      </Container>
    </>
  );
}
