import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { DialogBody, DialogHeader, Flex, Text } from '@backstage/ui';
import { OperationDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { PropsWithChildren } from 'react';
import { Answered } from '../../components/Answered';
import { Drawer } from '../../components/Drawer';
import { Row } from '../../components/Row';
import { ServiceText } from '../../components/ServiceText';
import { Time } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import { OperationFacts } from './OperationFacts';
import { OperationProgress } from './OperationProgress';
import { OperationState } from './OperationState';
import styles from './OperationDrawer.module.css';
import { OutcomeList } from './OutcomeList';
import { CameBack, Returns } from './Returns';
import { Steering } from './Steering';
import { UndoDelete } from './UndoDelete';
import { kindOf } from './operation';
import { useOperation } from './useOperation';

interface OperationDrawerProps {
  id: string;
  onClose: () => void;
}

/** All about one operation. */
export function OperationDrawer({ id, onClose }: OperationDrawerProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const answer = useOperation(id);
  return (
    <Drawer onClose={onClose}>
      <DialogHeader>
        {answer.data
          ? t(`operations.kind.${kindOf(answer.data)}`)
          : t('operations.title')}
      </DialogHeader>
      <DialogBody>
        <Answered answer={answer}>
          {operation => <Whole operation={operation} />}
        </Answered>
      </DialogBody>
    </Drawer>
  );
}

function Whole({ operation }: { operation: OperationDetails }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Flex direction="column" gap="5">
      <Row apart>
        <OperationState operation={operation} />
        <Steering operation={operation} />
        <UndoDelete operation={operation} />
      </Row>
      <OperationProgress operation={operation} />
      <OperationFacts operation={operation} />
      {operation.returns.length > 0 && (
        <Section title={t('operations.returns')}>
          <Returns returns={operation.returns} />
          <CameBack operation={operation} />
        </Section>
      )}
      <Section title={t('operations.items')}>
        <OutcomeList operation={operation} />
      </Section>
      <Section title={t('operations.record')}>
        <Record events={operation.events} />
      </Section>
    </Flex>
  );
}

function Section({ title, children }: PropsWithChildren<{ title: string }>) {
  return (
    <section className={styles.section}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

type Event = OperationDetails['events'][number];

function Record({ events }: { events: Event[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (events.length === 0) return <Text>{t('operations.recordEmpty')}</Text>;
  return (
    <ol className={styles.record}>
      {events.map(({ at, by, action, detail }) => (
        <li key={`${at} ${action}`}>
          <Time at={at} /> {by}{' '}
          {t(
            `operations.event.${
              action as
                | 'pause'
                | 'resume'
                | 'approve'
                | 'cancel'
                | 'rate'
                | 'canary'
            }`,
          )}
          {detail && (
            <>
              : <ServiceText text={detail} />
            </>
          )}
        </li>
      ))}
    </ol>
  );
}
