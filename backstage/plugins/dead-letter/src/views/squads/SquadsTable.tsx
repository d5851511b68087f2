import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Badge,
  Cell,
  Column,
  Flex,
  Row,
  TableBody,
  TableHeader,
  TableRoot,
  Text,
} from '@backstage/ui';
import { SquadOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { LastDayBelow } from '../../components/LastDay';
import { Scrolled } from '../../components/Scrolled';
import { Time } from '../../components/Time';
import numbers from '../../components/numbers.module.css';
import { deadLetterTranslationRef } from '../../translation';
import { TabLink } from '../../components/TabLink';
import { Trend } from '../../components/Trend';
import { PlaceOf, useSquadTabs } from '../../hooks/useTabs';
import { ageOf, useSorted } from '../../hooks/useSorted';
import { useSteady } from '../../hooks/useSteady';
import styles from './squads.module.css';

/** The squad of services that no squad owns. */
export const UNOWNED = 'unowned';

const SORT_KEYS = {
  squad: (row: SquadOverview) => row.squad,
  messages: (row: SquadOverview) => row.messages,
  services: (row: SquadOverview) => row.services,
  oldest: (row: SquadOverview) => ageOf(row.oldest),
  lastHour: (row: SquadOverview) => row.trend.lastHour,
};

/** The squads that have dead letters. */
export function SquadsTable({ squads }: { squads: SquadOverview[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const tabOf = useSquadTabs(squads.map(each => each.squad));
  const { rows, descriptor, onSortChange } = useSorted(squads, SORT_KEYS, {
    by: 'messages',
    name: 'squad',
  });
  const { rows: steady, hold } = useSteady(
    rows,
    each => each.squad,
    descriptor,
  );
  const number = { allowsSorting: true, className: numbers.number };
  return (
    <Scrolled least="44rem" className={styles.table} hold={hold}>
      <TableRoot
        aria-label={t('squads.table')}
        sortDescriptor={descriptor}
        onSortChange={onSortChange}
      >
        <TableHeader>
          <Column id="squad" isRowHeader allowsSorting>
            {t('squads.squad')}
          </Column>
          <Column id="messages" {...number}>
            {t('squads.messages')}
          </Column>
          <Column id="services" {...number}>
            {t('squads.services')}
          </Column>
          <Column id="oldest" {...number}>
            {t('squads.oldest')}
          </Column>
          <Column id="lastHour" {...number}>
            {t('squads.lastHour')}
          </Column>
        </TableHeader>
        <TableBody items={steady} dependencies={[tabOf, t]}>
          {row => <SquadRow id={row.squad} squad={row} tabOf={tabOf} />}
        </TableBody>
      </TableRoot>
    </Scrolled>
  );
}

interface SquadRowProps {
  id: string;
  squad: SquadOverview;
  tabOf: PlaceOf;
}

function SquadRow({ id, squad, tabOf }: SquadRowProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Row id={id}>
      <Cell>
        <SquadName squad={squad.squad} tabOf={tabOf} />
      </Cell>
      <Cell className={numbers.number}>
        {squad.messages.toLocaleString()}
        {squad.muted > 0 && (
          <Text as="div" variant="body-small" color="secondary">
            {t('squad.ofThemMuted', { number: squad.muted.toLocaleString() })}
          </Text>
        )}
        {squad.messages === 0 && <LastDayBelow counts={squad.lastDay} />}
      </Cell>
      <Cell className={numbers.number}>{squad.services.toLocaleString()}</Cell>
      <Cell className={numbers.number}>
        {squad.oldest ? <Time at={squad.oldest} ago /> : '–'}
      </Cell>
      <Cell className={numbers.number}>
        <Trend trend={squad.trend} />
      </Cell>
    </Row>
  );
}

function SquadName({ squad, tabOf }: { squad: string; tabOf: PlaceOf }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (squad !== UNOWNED) {
    return (
      <TabLink to={tabOf(squad)} hint={t('squads.noGroup')}>
        {squad}
      </TabLink>
    );
  }
  return (
    <>
      <Flex gap="2" align="center">
        <TabLink to={tabOf(squad)}>{squad}</TabLink>
        <Badge size="small">{t('squads.unowned')}</Badge>
      </Flex>
      <Text as="div" variant="body-small" color="secondary">
        {t('squads.unownedHint')}
      </Text>
    </>
  );
}
