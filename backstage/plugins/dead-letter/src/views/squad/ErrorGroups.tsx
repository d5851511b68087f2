import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Card,
  CardBody,
  CardHeader,
  Text,
  ToggleButton,
  ToggleButtonGroup,
} from '@backstage/ui';
import {
  CountedGroup,
  ErrorGroups as Found,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMemo, useState } from 'react';
import { Answered } from '../../components/Answered';
import { Row } from '../../components/Row';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { TableSkeleton } from '../../components/TableSkeleton';
import { EVERY_MS } from '../../hooks/every';
import { useSteady } from '../../hooks/useSteady';
import { PlaceOf } from '../../hooks/useTabs';
import { ErrorGroupsTable } from './ErrorGroupsTable';
import styles from './squad.module.css';

/** As many as the service gives; it gives those with the most messages. */
const ASKED_FOR = 200;
/** As many as are shown before somebody wants all. */
const SHOWN_FIRST = 10;

type Order = 'newest' | 'most';
/** As the service says whose they are, or all. */
type Whose = 'all' | 'me' | 'none';

interface ErrorGroupsProps {
  squad: string;
  tabOf: PlaceOf;
  /** Whether it is said already that nothing answers. */
  awaySaid: boolean;
}

/** Why the dead letters of a squad died. */
export function ErrorGroups({ squad, tabOf, awaySaid }: ErrorGroupsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [order, setOrder] = useState<Order>('newest');
  const [whose, setWhose] = useState<Whose>('all');
  const assignee = whose === 'all' ? undefined : whose;
  const groups = useAnswer(
    ['error-groups', squad, ...(assignee ? [assignee] : [])],
    (client, signal) =>
      client.errorGroups({ squad }, ASKED_FOR, signal, assignee),
    { every: EVERY_MS, keep: false },
  );
  return (
    <Card>
      <CardHeader>
        <Row apart>
          <div>
            <Text as="h3" variant="title-x-small">
              {t('squad.groups.title')}
            </Text>
            <Text as="p" color="secondary" className={styles.explained}>
              {t('squad.groups.explained')}
            </Text>
          </div>
          <Row>
            <WhoseChoice whose={whose} onChange={setWhose} />
            <OrderChoice order={order} onChange={setOrder} />
          </Row>
        </Row>
      </CardHeader>
      <CardBody>
        <Answered
          answer={groups}
          awaySaid={awaySaid}
          loading={<TableSkeleton rows={6} />}
        >
          {found => (
            <Groups
              key={whose}
              found={found}
              order={order}
              tabOf={tabOf}
              none={t(
                assignee ? 'squad.groups.noneOfThese' : 'squad.groups.none',
              )}
            />
          )}
        </Answered>
      </CardBody>
    </Card>
  );
}

interface GroupsProps {
  found: Found;
  order: Order;
  tabOf: PlaceOf;
  /** What is said where there are none. */
  none: string;
}

function Groups({ found, order, tabOf, none }: GroupsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [all, setAll] = useState(false);
  const sorted = useMemo(() => sort(found.groups, order), [found, order]);
  const { rows: steady, hold } = useSteady(sorted, each => each.id, order);
  if (sorted.length === 0) return <Text>{none}</Text>;
  const shown = all ? steady : steady.slice(0, SHOWN_FIRST);
  return (
    <>
      <div {...hold}>
        <ErrorGroupsTable groups={shown} tabOf={tabOf} />
      </div>
      {found.total > found.groups.length && (
        <Text as="p" variant="body-small" color="secondary">
          {t('squad.groups.capped', {
            number: found.groups.length.toLocaleString(),
            total: found.total.toLocaleString(),
          })}
        </Text>
      )}
      {sorted.length > SHOWN_FIRST && (
        <Button
          variant="tertiary"
          aria-expanded={all}
          className={styles.all}
          onPress={() => setAll(!all)}
        >
          {all
            ? t('squad.groups.fewer')
            : t('squad.groups.all', { number: sorted.length.toLocaleString() })}
        </Button>
      )}
    </>
  );
}

interface OrderChoiceProps {
  order: Order;
  onChange: (order: Order) => void;
}

function OrderChoice({ order, onChange }: OrderChoiceProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <ToggleButtonGroup
      aria-label={t('squad.groups.order')}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[order]}
      onSelectionChange={([chosen]) => onChange(chosen as Order)}
    >
      <ToggleButton id="newest">{t('squad.groups.newest')}</ToggleButton>
      <ToggleButton id="most">{t('squad.groups.most')}</ToggleButton>
    </ToggleButtonGroup>
  );
}

interface WhoseChoiceProps {
  whose: Whose;
  onChange: (whose: Whose) => void;
}

/** Nothing of somebody's own where nobody has signed in. */
function WhoseChoice({ whose, onChange }: WhoseChoiceProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const me = useAnswer(['me'], (client, signal) => client.me(signal));
  return (
    <ToggleButtonGroup
      aria-label={t('squad.groups.whose')}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[whose]}
      onSelectionChange={([chosen]) => onChange(chosen as Whose)}
    >
      <ToggleButton id="all">{t('squad.groups.everybodys')}</ToggleButton>
      {me.data?.id ? (
        <ToggleButton id="me">{t('squad.groups.mine')}</ToggleButton>
      ) : null}
      <ToggleButton id="none">{t('squad.groups.nobodys')}</ToggleButton>
    </ToggleButtonGroup>
  );
}

function sort(groups: CountedGroup[], order: Order): CountedGroup[] {
  return [...groups].sort(
    (one, other) =>
      Number(one.state === 'muted') - Number(other.state === 'muted') ||
      (order === 'most'
        ? other.count - one.count
        : Date.parse(other.lastSeen) - Date.parse(one.lastSeen)) ||
      one.id.localeCompare(other.id),
  );
}
