import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Card, Flex, SearchField } from '@backstage/ui';
import { SquadOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useRef, useState } from 'react';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { Guarded } from '../../components/Guarded';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { Loading } from '../squad/Loading';
import { Headline } from './Headline';
import styles from './SquadsPage.module.css';
import { SquadsTable } from './SquadsTable';
import { Unowned } from './Unowned';
import { UNOWNED, useGroups } from './squads';

const REFRESH_MS = 15_000;
/** With more squads than these there is a field to find one. */
const FEW = 10;

/** How many dead letters each squad has. */
export function SquadsPage() {
  return (
    <Guarded>
      <Squads />
    </Guarded>
  );
}

function Squads() {
  // Numbers of another environment are none of this one's: they do not stay while it is asked.
  const answer = useAnswer(
    ['squads'],
    (client, signal) => client.squads(signal),
    { every: REFRESH_MS, keep: false },
  );
  return (
    <div className={styles.page}>
      <Flex justify="between" align="start" gap="4" className={styles.head}>
        <Headline squads={answer.data} />
        <EnvironmentSelect />
      </Flex>
      <Answered answer={answer} loading={<Loading rows={5} />}>
        {squads => <Overview squads={squads} />}
      </Answered>
    </div>
  );
}

function Overview({ squads }: { squads: SquadOverview[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [wanted, setWanted] = useState('');
  const unowned = useRef<HTMLElement>(null);
  const groupOf = useGroups(squads);
  if (squads.length === 0) {
    return (
      <Empty
        title={t('squads.noneTitle')}
        description={t('squads.noneDetail')}
      />
    );
  }
  const matching = squads.filter(each =>
    each.squad.toLowerCase().includes(wanted.trim().toLowerCase()),
  );
  return (
    <Flex direction="column" gap="6">
      {squads.length > FEW && (
        <SearchField
          className={styles.filter}
          aria-label={t('squads.filter')}
          placeholder={t('squads.filter')}
          value={wanted}
          onChange={setWanted}
        />
      )}
      <Card>
        <SquadsTable
          squads={matching}
          groupOf={groupOf}
          onUnowned={() => {
            unowned.current?.focus();
            unowned.current?.scrollIntoView?.({ block: 'nearest' });
          }}
        />
      </Card>
      {squads.some(each => each.squad === UNOWNED) && <Unowned ref={unowned} />}
    </Flex>
  );
}
