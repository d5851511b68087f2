import { useRouteRef, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, ButtonLink } from '@backstage/ui';
import { EVERY_MS } from '../../hooks/every';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useInEnvironment } from '../../hooks/useEnvironment';
import { incidentsRouteRef } from '../../routes';
import { deadLetterTranslationRef } from '../../translation';

/** So many are counted. */
const COUNTED = 50;

/** How many incidents of a squad are open, and the way to them. Nothing where there are none. */
export function OpenIncidents({ squad }: { squad: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inEnvironment = useInEnvironment();
  const page = useRouteRef(incidentsRouteRef)?.() ?? '';
  const { data } = useAnswer(
    ['incidents', 'open', squad],
    (client, signal) =>
      client.incidents({ state: 'open', squad, limit: COUNTED }, signal),
    { every: EVERY_MS, keep: false },
  );
  const incidents = data?.incidents ?? [];
  if (incidents.length === 0) return null;
  return (
    <Alert
      status="warning"
      icon
      mb="4"
      title={t('incidents.openOfSquad', { count: incidents.length })}
      description={incidents[0].title}
      customActions={
        <ButtonLink
          size="small"
          variant="tertiary"
          href={inEnvironment(page, { squad })}
        >
          {t('incidents.show')}
        </ButtonLink>
      }
    />
  );
}
