import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Card,
  Flex,
  Text,
  ToggleButton,
  ToggleButtonGroup,
} from '@backstage/ui';
import {
  CountedGroup,
  ErrorGroups as Groups,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useState } from 'react';
import { Answered } from '../../components/Answered';
import { sayCount } from '../../components/Count';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { ErrorGroupRow } from './ErrorGroupRow';
import styles from './ErrorGroups.module.css';
import { Loading } from './Loading';
import { Found } from './catalog';

const REFRESH_MS = 15_000;
/** As many as the service tells at once: those with the most dead letters. */
const ASKED = 200;
/** Shown until all are asked for. */
const FIRST = 10;

type Order = 'newest' | 'most';

const ORDERS: Record<
  Order,
  (one: CountedGroup, other: CountedGroup) => number
> = {
  newest: (one, other) => other.lastSeen.localeCompare(one.lastSeen),
  most: (one, other) => other.count - one.count,
};

interface ErrorGroupsProps {
  squad: string;
  componentOf: Found;
}

/** What goes wrong in the services of a squad. */
export function ErrorGroups({ squad, componentOf }: ErrorGroupsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [order, setOrder] = useState<Order>('newest');
  const answer = useAnswer(
    ['error-groups', { squad }],
    (client, signal) => client.errorGroups({ squad }, ASKED, signal),
    { every: REFRESH_MS, keep: false },
  );
  return (
    <section className={styles.section} aria-label={t('squad.groups.title')}>
      <Flex justify="between" align="center" gap="4">
        <Text as="h2" variant="title-x-small">
          {t('squad.groups.title')}
        </Text>
        <ToggleButtonGroup
          aria-label={t('squad.groups.order')}
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[order]}
          onSelectionChange={([chosen]) => setOrder(chosen as Order)}
        >
          <ToggleButton id="newest">{t('squad.groups.newest')}</ToggleButton>
          <ToggleButton id="most">{t('squad.groups.most')}</ToggleButton>
        </ToggleButtonGroup>
      </Flex>
      <Answered answer={answer} loading={<Loading rows={3} height={72} />}>
        {groups => (
          <List groups={groups} order={order} componentOf={componentOf} />
        )}
      </Answered>
    </section>
  );
}

interface ListProps {
  groups: Groups;
  order: Order;
  componentOf: Found;
}

function List({ groups: { groups, total }, order, componentOf }: ListProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [all, setAll] = useState(false);
  const sorted = [...groups].sort(ORDERS[order]);
  const shown = all ? sorted : sorted.slice(0, FIRST);
  if (groups.length === 0) {
    return <Text color="secondary">{t('squad.groups.none')}</Text>;
  }
  return (
    <>
      <Card className={styles.card}>
        <ol className={styles.list}>
          {shown.map(each => (
            <ErrorGroupRow
              key={each.id}
              group={each}
              component={componentOf(each.service)}
            />
          ))}
        </ol>
      </Card>
      {shown.length < sorted.length && (
        <Button variant="secondary" onPress={() => setAll(true)}>
          {t('squad.groups.all', { count: sorted.length })}
        </Button>
      )}
      {total > groups.length && (
        <Text color="secondary">
          {t('squad.groups.limited', {
            shown: sayCount(groups.length),
            total: sayCount(total),
          })}
        </Text>
      )}
    </>
  );
}
