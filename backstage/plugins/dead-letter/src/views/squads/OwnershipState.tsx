import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert } from '@backstage/ui';
import {
  Ownership,
  OwnershipConflict,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { Time } from '../../components/Time';
import { EVERY_MS } from '../../hooks/every';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';

/** Conflicts that are shown one by one. */
const MOST_SHOWN = 3;

/** Where squads come from. */
export function useOwnership() {
  return useAnswer(
    ['ownership'],
    (client, signal) => client.ownership(signal),
    { every: EVERY_MS, keep: false },
  );
}

/** Says where squads are out of date, or the catalog leaves them undecided; nothing where all is well. */
export function OwnershipState() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { data: ownership } = useOwnership();
  if (!ownership) return null;
  const { catalog, conflicts, conflictCount } = ownership;
  const more = conflictCount - Math.min(conflicts.length, MOST_SHOWN);
  return (
    <>
      {catalog?.stale && <Stale asOf={catalog.asOf} />}
      {conflicts.slice(0, MOST_SHOWN).map(conflict => (
        <Conflict key={conflict.service} conflict={conflict} />
      ))}
      {more > 0 && (
        <Alert
          status="warning"
          icon
          mb="4"
          title={t('squads.ownership.more', { count: more })}
        />
      )}
    </>
  );
}

function Stale({ asOf }: { asOf: NonNullable<Ownership['catalog']>['asOf'] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return asOf ? (
    <Alert
      status="warning"
      icon
      mb="4"
      title={t('squads.ownership.stale')}
      description={t('squads.ownership.staleDetail', {
        time: <Time at={asOf} />,
      })}
    />
  ) : (
    <Alert
      status="warning"
      icon
      mb="4"
      title={t('squads.ownership.unknown')}
      description={t('squads.ownership.unknownDetail')}
    />
  );
}

function Conflict({ conflict }: { conflict: OwnershipConflict }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { service, claims, takesOverAt } = conflict;
  const said = claims
    .map(({ entity, squad }) =>
      t('squads.ownership.claim', {
        entity,
        squad: squad ?? t('squads.ownership.noSquad'),
      }),
    )
    .join(', ');
  return takesOverAt ? (
    <Alert
      status="warning"
      icon
      mb="4"
      title={t('squads.ownership.waits', {
        service,
        time: <Time at={takesOverAt} />,
      })}
      description={t('squads.ownership.waitsDetail', { claims: said })}
    />
  ) : (
    <Alert
      status="warning"
      icon
      mb="4"
      title={t('squads.ownership.contested', { service })}
      description={said}
    />
  );
}
