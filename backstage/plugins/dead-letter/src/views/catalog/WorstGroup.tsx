import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Link, Text } from '@backstage/ui';
import {
  CountedGroup,
  Filter,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { EVERY_MS } from '../../hooks/every';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useGroupPath } from '../../hooks/useGroupPath';
import { deadLetterTranslationRef } from '../../translation';
import { DaySparkline } from '../squad/DaySparkline';
import { useTitle } from '../squad/useTitle';
import { Owner } from './owner';
import styles from './card.module.css';

/** The error group with the most dead letters, among those that are not muted; nothing until it is known. */
export function WorstGroup({ owner }: { owner: Owner }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { data } = useAnswer(
    ['worst-group', owner],
    async (client, signal) => {
      const filters: Filter[] = owner.services?.map(service => ({
        service,
      })) ?? [{ squad: owner.squad }];
      const found = await Promise.all(
        filters.map(each => client.errorGroups(each, 1, signal)),
      );
      return worst(found.flatMap(each => each.groups));
    },
    { every: EVERY_MS, keep: false },
  );
  if (!data) return null;
  return (
    <>
      <dt>{t('catalog.worst')}</dt>
      <dd>
        <GroupLink group={data} />
      </dd>
    </>
  );
}

/** Of the largest of each service. Muted ones come last. */
function worst(groups: CountedGroup[]): CountedGroup | null {
  const [first] = groups
    .filter(({ state, count }) => state !== 'muted' && count > 0)
    .sort((one, other) => other.count - one.count);
  return first ?? null;
}

function GroupLink({ group }: { group: CountedGroup }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const title = useTitle(group);
  const path = useGroupPath()(group.id);
  return (
    <>
      <Link href={path} className={styles.group}>
        {title}
      </Link>
      <Text as="div" variant="body-small" color="secondary">
        {t('catalog.worstCount', { count: group.count })}
      </Text>
      <DaySparkline group={group} />
    </>
  );
}
