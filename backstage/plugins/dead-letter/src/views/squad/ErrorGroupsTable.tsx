import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Cell,
  Column,
  Link,
  Row,
  TableBody,
  TableHeader,
  TableRoot,
  Text,
  VisuallyHidden,
} from '@backstage/ui';
import { CountedGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiStickyNoteLine } from '@remixicon/react';
import { Scrolled } from '../../components/Scrolled';
import { Time } from '../../components/Time';
import numbers from '../../components/numbers.module.css';
import { deadLetterTranslationRef } from '../../translation';
import { useGroupPath } from '../../hooks/useGroupPath';
import { useMay } from '../../hooks/useMay';
import { PlaceOf } from '../../hooks/useTabs';
import { Care } from './Care';
import { DaySparkline } from './DaySparkline';
import { ErrorGroupMenu } from './ErrorGroupMenu';
import { Share } from './Share';
import { StateBadge } from './StateBadge';
import { useTitle } from './useTitle';
import styles from './squad.module.css';

interface ErrorGroupsTableProps {
  groups: CountedGroup[];
  tabOf: PlaceOf;
}

/** Error groups, in the order given. */
export function ErrorGroupsTable({ groups, tabOf }: ErrorGroupsTableProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Scrolled least="46rem" className={styles.groups}>
      <TableRoot aria-label={t('squad.groups.table')}>
        <TableHeader>
          <Column id="error" isRowHeader>
            {t('squad.groups.error')}
          </Column>
          <Column id="count" className={numbers.number}>
            {t('squad.groups.count')}
          </Column>
          <Column id="day">{t('squad.groups.day')}</Column>
          <Column id="seen" className={numbers.number}>
            {t('squad.groups.lastSeen')}
          </Column>
          <Column id="actions">
            <VisuallyHidden>{t('squad.groups.actions')}</VisuallyHidden>
          </Column>
        </TableHeader>
        <TableBody items={groups} dependencies={[tabOf, t]}>
          {group => <GroupRow id={group.id} group={group} tabOf={tabOf} />}
        </TableBody>
      </TableRoot>
    </Scrolled>
  );
}

interface GroupRowProps {
  id: string;
  group: CountedGroup;
  tabOf: PlaceOf;
}

function GroupRow({ id, group, tabOf }: GroupRowProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Row id={id}>
      <Cell>
        <GroupName group={group} tabOf={tabOf} />
      </Cell>
      <Cell className={numbers.number}>
        <Share count={group.count} share={group.share} bar />
      </Cell>
      <Cell>
        <DaySparkline group={group} />
      </Cell>
      <Cell className={numbers.number}>
        <Time at={group.lastSeen} ago />
        <Text as="div" variant="body-small" color="secondary">
          {t('squad.groups.firstSeen')} <Time at={group.firstSeen} ago />
        </Text>
      </Cell>
      <Cell className={styles.menu}>
        <Change group={group} tabOf={tabOf} />
      </Cell>
    </Row>
  );
}

/** What can be said about a group, to those who may. */
function Change({ group, tabOf }: { group: CountedGroup; tabOf: PlaceOf }) {
  const place = tabOf(group.service);
  const { allowed } = useMay('triage', {
    services: [group.service],
    resourceRef: place?.resourceRef,
  });
  return place && allowed ? <ErrorGroupMenu group={group} /> : null;
}

/** Leads to its messages, on the page of its service. */
function MessagesLink({
  group,
  tabOf,
}: {
  group: CountedGroup;
  tabOf: PlaceOf;
}) {
  const place = tabOf(group.service, {
    errorGroup: group.id,
    // None is dead: what became of them is what there is to see.
    ...(group.count === 0 && { status: 'any' }),
  });
  return place ? (
    <Link href={place.path} variant="body-small">
      {group.service}
    </Link>
  ) : (
    <Text variant="body-small">{group.service}</Text>
  );
}

function GroupName({ group, tabOf }: { group: CountedGroup; tabOf: PlaceOf }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const title = useTitle(group);
  const groupPath = useGroupPath();
  return (
    <>
      <Link href={groupPath(group.id)} weight="bold" className={styles.title}>
        {title}
      </Link>
      <div className={styles.about}>
        <StateBadge group={group} />
        {group.errorType && (
          <Text variant="body-small" className={styles.type}>
            {group.errorType}
          </Text>
        )}
        <Text variant="body-small" color="secondary">
          {t('squad.groups.in')}{' '}
        </Text>
        <MessagesLink group={group} tabOf={tabOf} />
        <Care group={group} />
        {group.notes > 0 && (
          <Link
            href={groupPath(group.id)}
            variant="body-small"
            className={styles.notes}
          >
            <RiStickyNoteLine size={14} aria-hidden />
            {t('squad.groups.notes', { count: group.notes })}
          </Link>
        )}
      </div>
    </>
  );
}
