import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Flex, Text } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiArrowGoBackLine,
  RiDeleteBinLine,
  RiSendPlaneLine,
} from '@remixicon/react';
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
  /** What is listed, where nothing is selected: it says what could be done. */
  listed?: Selection['status'];
  /** The services that it is of. */
  services: string[];
  /** Entity whose permissions count, such as `component:default/webshop`. */
  resourceRef: string;
  /** An operation has begun, has ended, or its outcome is known: what it acted on is to be asked for again. */
  onChanged: (stage: 'begun' | 'ended', operation: Operation) => void;
}

/** What each of them needs. */
const NEEDED = {
  redeliver: 'redeliver',
  delete: 'delete',
  restore: 'delete',
} as const;

const ICONS = {
  redeliver: <RiSendPlaneLine />,
  delete: <RiDeleteBinLine />,
  restore: <RiArrowGoBackLine />,
};

/** What can be done with those of each status. */
const KINDS: Record<NonNullable<Selection['status']>, readonly ActionKind[]> = {
  dead: ['redeliver', 'delete'],
  redelivered: ['redeliver'],
  deleted: ['restore'],
};

/** Redelivers, deletes and restores what is selected. How that goes is shown where the operations of the service are. */
export function Acting({
  selection,
  listed = 'dead',
  services,
  resourceRef,
  onChanged,
}: ActingProps) {
  const [opened, setOpened] = useState<ActionKind>();
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const status = selection?.status ?? listed;
  const isSecondTime = status === 'redelivered';
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
        {KINDS[status].map(kind => (
          <ActionButton
            key={kind}
            kind={kind}
            label={t(isSecondTime ? 'acting.redeliverAgain' : `acting.${kind}`)}
            services={services}
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
  services: string[];
  resourceRef: string;
  isDisabled: boolean;
  onPress: () => void;
}

function ActionButton(props: ActionButtonProps) {
  const { kind, label, services, resourceRef, isDisabled, onPress } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const why = useId();
  const { allowed, loading, permission } = useMay(NEEDED[kind], {
    services,
    resourceRef,
  });
  const isDenied = !loading && !allowed;
  return (
    <>
      <Button
        variant={kind === 'delete' ? 'secondary' : 'primary'}
        destructive={kind === 'delete'}
        iconStart={ICONS[kind]}
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
