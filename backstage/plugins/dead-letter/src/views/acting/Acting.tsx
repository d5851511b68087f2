import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Flex, Text } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiDeleteBinLine, RiSendPlaneLine } from '@remixicon/react';
import { useId, useState } from 'react';
import { useAskAgain } from '../../hooks/useDeadLetter';
import { useMay } from '../../hooks/useMay';
import { deadLetterTranslationRef } from '../../translation';
import { useFollow } from '../operations/useFollow';
import styles from './Acting.module.css';
import { PlanDialog } from './PlanDialog';
import { ActionKind, Selection } from './selection';

export interface ActingProps {
  /** What the buttons act on; disabled where it is undefined. */
  selection: Selection | undefined;
  /** The service that it is of. */
  service: string;
  /** Entity whose permissions count, such as `component:default/webshop`. */
  resourceRef: string;
  /** An operation has begun, has ended, or its outcome is known: what it acted on is to be asked for again. */
  onChanged: (stage: 'begun' | 'ended', operation: Operation) => void;
}

const ALL: readonly ActionKind[] = ['redeliver', 'delete'];
/** Nothing else can be done with what was redelivered before. */
const REDELIVER: readonly ActionKind[] = ['redeliver'];

/** Redelivers and deletes what is selected. How that goes is shown where the operations of the service are. */
export function Acting(props: ActingProps) {
  const { selection, service, resourceRef, onChanged } = props;
  const [opened, setOpened] = useState<ActionKind>();
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const isSecondTime = selection?.status === 'redelivered';
  const follow = useFollow();
  const askAgain = useAskAgain();
  const begun = (operation: Operation) => {
    setOpened(undefined);
    follow(operation, () => {
      askAgain(['operations']);
      onChanged('ended', operation);
    });
    askAgain(['operations']);
    onChanged('begun', operation);
  };
  return (
    <div className={styles.acting}>
      <Flex gap="2" align="center">
        {(isSecondTime ? REDELIVER : ALL).map(kind => (
          <ActionButton
            key={kind}
            kind={kind}
            label={t(isSecondTime ? 'acting.redeliverAgain' : `acting.${kind}`)}
            service={service}
            resourceRef={resourceRef}
            isDisabled={!selection}
            onPress={() => setOpened(kind)}
          />
        ))}
      </Flex>
      {opened && selection && (
        <PlanDialog
          kind={opened}
          selection={selection}
          onClose={() => setOpened(undefined)}
          onBegun={begun}
        />
      )}
    </div>
  );
}

interface ActionButtonProps {
  kind: ActionKind;
  label: string;
  service: string;
  resourceRef: string;
  isDisabled: boolean;
  onPress: () => void;
}

function ActionButton(props: ActionButtonProps) {
  const { kind, label, service, resourceRef, isDisabled, onPress } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const why = useId();
  const { allowed, loading, permission } = useMay(kind, {
    services: [service],
    resourceRef,
  });
  const isDenied = !loading && !allowed;
  return (
    <>
      <Button
        variant={kind === 'redeliver' ? 'primary' : 'secondary'}
        destructive={kind === 'delete'}
        iconStart={
          kind === 'redeliver' ? <RiSendPlaneLine /> : <RiDeleteBinLine />
        }
        isDisabled={isDisabled || !allowed}
        aria-describedby={isDenied ? why : undefined}
        onPress={onPress}
      >
        {label}
      </Button>
      {/* A button that is disabled has no tooltip: it stands beside it. */}
      {isDenied && (
        <Text id={why} variant="body-small" color="secondary">
          {t('acting.denied', {
            action: label.toLocaleLowerCase(),
            permission,
          })}
        </Text>
      )}
    </>
  );
}
