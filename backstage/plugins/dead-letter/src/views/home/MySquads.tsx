import {
  identityApiRef,
  useApi,
  useRouteRef,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import {
  Cell,
  Column,
  Link,
  Row,
  TableBody,
  TableHeader,
  TableRoot,
  Text,
} from '@backstage/ui';
import { SquadOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useQuery } from '@tanstack/react-query';
import { Answered } from '../../components/Answered';
import { Guarded } from '../../components/Guarded';
import { LastDayBelow } from '../../components/LastDay';
import { Scrolled } from '../../components/Scrolled';
import { TabLink } from '../../components/TabLink';
import { TableSkeleton } from '../../components/TableSkeleton';
import { Time } from '../../components/Time';
import { Trend } from '../../components/Trend';
import numbers from '../../components/numbers.module.css';
import { EVERY_MS } from '../../hooks/every';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useInEnvironment } from '../../hooks/useEnvironment';
import { PlaceOf, useSquadTabs } from '../../hooks/useTabs';
import { squadsRouteRef } from '../../routes';
import { deadLetterTranslationRef } from '../../translation';
import styles from './home.module.css';

/** The squads of whoever looks, and what they have. */
export function MySquads() {
  return (
    <Guarded>
      <Squads />
    </Guarded>
  );
}

/** The groups that whoever looks belongs to; undefined while that is not known. */
function useMyGroups(): string[] | undefined {
  const identity = useApi(identityApiRef);
  const { data } = useQuery({
    queryKey: ['my-groups'],
    queryFn: async () => {
      const { ownershipEntityRefs } = await identity.getBackstageIdentity();
      return ownershipEntityRefs
        .map(ref => ref.toLowerCase())
        .filter(ref => ref.startsWith('group:'));
    },
  });
  return data;
}

function Squads() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inEnvironment = useInEnvironment();
  const all = useRouteRef(squadsRouteRef)?.() ?? '';
  const groups = useMyGroups();
  const squads = useAnswer(
    ['squads'],
    (client, signal) => client.squads(signal),
    {
      every: EVERY_MS,
      keep: false,
    },
  );
  const tabOf = useSquadTabs(squads.data?.map(each => each.squad) ?? []);
  const isMine = ({ squad }: SquadOverview) => {
    const ref = tabOf(squad)?.resourceRef.toLowerCase();
    return ref !== undefined && groups?.includes(ref) === true;
  };
  return (
    <>
      <Answered answer={squads} loading={<TableSkeleton />}>
        {found =>
          groups && found.every(({ squad }) => tabOf(squad)) ? (
            <Mine
              isInGroup={groups.length > 0}
              squads={found.filter(isMine)}
              tabOf={tabOf}
            />
          ) : (
            <TableSkeleton />
          )
        }
      </Answered>
      <Link href={inEnvironment(all)} className={styles.all}>
        {t('home.all')}
      </Link>
    </>
  );
}

interface MineProps {
  isInGroup: boolean;
  squads: SquadOverview[];
  tabOf: PlaceOf;
}

function Mine({ isInGroup, squads, tabOf }: MineProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (squads.length === 0) {
    return <Text as="p">{t(isInGroup ? 'common.empty' : 'home.none')}</Text>;
  }
  return (
    <Scrolled least="28rem">
      <TableRoot aria-label={t('home.table')}>
        <TableHeader>
          <Column id="squad" isRowHeader>
            {t('home.squad')}
          </Column>
          <Column id="messages" className={numbers.number}>
            {t('home.messages')}
          </Column>
          <Column id="oldest" className={numbers.number}>
            {t('home.oldest')}
          </Column>
          <Column id="lastHour" className={numbers.number}>
            {t('home.lastHour')}
          </Column>
        </TableHeader>
        <TableBody items={squads} dependencies={[tabOf, t]}>
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
  return (
    <Row id={id}>
      <Cell>
        <TabLink to={tabOf(squad.squad)}>{squad.squad}</TabLink>
      </Cell>
      <Cell className={numbers.number}>
        {(squad.messages - squad.muted).toLocaleString()}
        {squad.messages === 0 && <LastDayBelow counts={squad.lastDay} />}
      </Cell>
      <Cell className={numbers.number}>
        {squad.oldest ? <Time at={squad.oldest} ago /> : '–'}
      </Cell>
      <Cell className={numbers.number}>
        <Trend trend={squad.trend} />
      </Cell>
    </Row>
  );
}
