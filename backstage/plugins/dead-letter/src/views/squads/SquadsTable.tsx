import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Badge,
  Button,
  Cell,
  Column,
  Link,
  Row,
  TableBody,
  TableHeader,
  TableRoot,
} from '@backstage/ui';
import { SquadOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiQuestionLine } from '@remixicon/react';
import { sayCount } from '../../components/Count';
import { Time } from '../../components/Time';
import { Trend } from '../../components/Trend';
import { useInEnvironment } from '../../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../../translation';
import { Found, tabOf } from '../squad/catalog';
import styles from '../squad/ServicesTable.module.css';
import { useOrder } from '../squad/useOrder';
import { UNOWNED } from './squads';

const COLUMNS = [
  { id: 'squad', style: '' },
  { id: 'messages', style: `${styles.number} ${styles.narrow}` },
  { id: 'services', style: `${styles.number} ${styles.narrow}` },
  { id: 'oldest', style: styles.time },
  { id: 'lastHour', style: `${styles.number} ${styles.trend}` },
] as const;

const BY: Record<string, (row: SquadOverview) => string | number> = {
  squad: row => row.squad,
  messages: row => row.messages,
  services: row => row.services,
  oldest: row => row.oldest ?? '',
  lastHour: row => row.trend.lastHour,
};

interface SquadsTableProps {
  squads: SquadOverview[];
  groupOf: Found;
  /** Goes to the services that nobody owns. */
  onUnowned: () => void;
}

/** Squads with what they have. */
export function SquadsTable({ squads, groupOf, onUnowned }: SquadsTableProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { sorted, order, setOrder } = useOrder(squads, BY, {
    column: 'messages',
    direction: 'descending',
  });
  return (
    <div className={styles.card}>
      <div className={styles.table}>
        <TableRoot
          aria-label={t('squads.table')}
          sortDescriptor={order}
          onSortChange={setOrder}
        >
          <TableHeader>
            {COLUMNS.map(({ id, style }) => (
              <Column
                key={id}
                id={id}
                className={style}
                allowsSorting
                isRowHeader={id === 'squad'}
              >
                {t(`squads.${id}`)}
              </Column>
            ))}
          </TableHeader>
          <TableBody
            renderEmptyState={() => (
              <div className={styles.hint}>{t('squads.noMatch')}</div>
            )}
          >
            {sorted.map(row => (
              <Row key={row.squad} id={row.squad}>
                <Cell>
                  {row.squad === UNOWNED ? (
                    <Unowned onPress={onUnowned} />
                  ) : (
                    <SquadName squad={row.squad} group={groupOf(row.squad)} />
                  )}
                </Cell>
                <Cell className={styles.number}>{sayCount(row.messages)}</Cell>
                <Cell className={styles.number}>{sayCount(row.services)}</Cell>
                <Cell className={styles.time}>
                  <Time at={row.oldest} ago />
                </Cell>
                <Cell className={styles.number}>
                  <Trend trend={row.trend} />
                </Cell>
              </Row>
            ))}
          </TableBody>
        </TableRoot>
      </div>
    </div>
  );
}

interface SquadNameProps {
  squad: string;
  group: string | null | undefined;
}

/** A squad, and the way to its dead letters. */
function SquadName({ squad, group }: SquadNameProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inEnvironment = useInEnvironment();
  if (group) {
    return (
      <Link href={inEnvironment(tabOf(group))} weight="bold">
        {squad}
      </Link>
    );
  }
  return (
    <span className={styles.name}>
      {squad}
      {group === null && (
        <span className={styles.hint}>{t('squads.noGroup')}</span>
      )}
    </span>
  );
}

/** What no squad owns: listed further down. */
function Unowned({ onPress }: { onPress: () => void }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <span className={styles.unowned}>
      <Badge
        size="small"
        className={styles.badge}
        icon={<RiQuestionLine aria-hidden />}
      >
        {t('squads.unowned.badge')}
      </Badge>
      <Button
        size="small"
        variant="secondary"
        onPress={onPress}
        aria-label={t('squads.unowned.showLong')}
      >
        {t('squads.unowned.show')}
      </Button>
    </span>
  );
}
