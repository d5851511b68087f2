import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Flex, Text } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiCloseLine,
  RiPauseLine,
  RiPlayLine,
  RiSpeedUpLine,
} from '@remixicon/react';
import { useState } from 'react';
import { Failed } from '../../components/Failed';
import { Row } from '../../components/Row';
import danger from '../../components/danger.module.css';
import { deadLetterTranslationRef } from '../../translation';
import { OperationKind, isOver, kindOf } from './operation';
import { RateForm } from './RateForm';
import { sayNumber } from './say';
import { useSteer } from './useOperation';
import { useSteeringAllowed } from './useSteeringAllowed';

/** Pauses, resumes and cancels an operation that has not ended, and changes its rate. */
export function Steering({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { allowed, loading, permission } = useSteeringAllowed(operation);
  const steer = useSteer(operation.id);
  const [asking, setAsking] = useState<'cancel' | 'rate'>();
  if (isOver(operation) || operation.state === 'cancelling') return null;
  if (!loading && !allowed) {
    return (
      <Text variant="body-small" color="secondary" as="p">
        {t('operations.steer.denied', { permission })}
      </Text>
    );
  }
  const { id } = operation;
  const disabled = loading || steer.isPending;
  const ended = { onSettled: () => setAsking(undefined) };
  return (
    <Flex direction="column" gap="2">
      {asking === 'cancel' && (
        <CancelSure
          kind={kindOf(operation)}
          remaining={operation.remaining}
          disabled={disabled}
          onNo={() => setAsking(undefined)}
          onYes={() => steer.mutate(c => c.steer(id, 'cancel'), ended)}
        />
      )}
      {asking === 'rate' && (
        <RateForm
          rate={operation.rate}
          disabled={disabled}
          onClose={() => setAsking(undefined)}
          onSet={rate => steer.mutate(c => c.changeRate(id, rate), ended)}
        />
      )}
      {!asking && (
        <Buttons
          next={nextOf(operation)}
          disabled={disabled}
          onSteer={action => steer.mutate(c => c.steer(id, action))}
          onAsk={setAsking}
          hasRate={operation.kind === 'redeliver'}
        />
      )}
      <Failed title={t('operations.steer.failed')} error={steer.error} />
    </Flex>
  );
}

type Next = 'pause' | 'resume' | 'approve';

/** Whoever resumes an operation that waits for a second person approves it. */
function nextOf({ state, awaitsApproval }: Operation): Next {
  if (state !== 'paused') return 'pause';
  return awaitsApproval ? 'approve' : 'resume';
}

interface ButtonsProps {
  next: Next;
  disabled: boolean;
  hasRate: boolean;
  onSteer: (action: 'pause' | 'resume') => void;
  onAsk: (what: 'cancel' | 'rate') => void;
}

function Buttons({ next, disabled, hasRate, ...on }: ButtonsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Row>
      <Button
        size="small"
        variant="secondary"
        isDisabled={disabled}
        iconStart={next === 'pause' ? <RiPauseLine /> : <RiPlayLine />}
        onPress={() => on.onSteer(next === 'pause' ? 'pause' : 'resume')}
      >
        {t(`operations.steer.${next}`)}
      </Button>
      {hasRate && (
        <Button
          size="small"
          variant="secondary"
          isDisabled={disabled}
          iconStart={<RiSpeedUpLine />}
          onPress={() => on.onAsk('rate')}
        >
          {t('operations.steer.rate')}
        </Button>
      )}
      <Button
        size="small"
        variant="secondary"
        isDisabled={disabled}
        iconStart={<RiCloseLine />}
        onPress={() => on.onAsk('cancel')}
      >
        {t('operations.steer.cancel')}
      </Button>
    </Row>
  );
}

interface CancelSureProps {
  kind: OperationKind;
  remaining: number;
  disabled: boolean;
  onYes: () => void;
  onNo: () => void;
}

function CancelSure(props: CancelSureProps) {
  const { kind, remaining, disabled, onYes, onNo } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <div role="group">
      <Row>
        <Text variant="body-small">
          {t(`operations.steer.sure.${kind}`, { number: sayNumber(remaining) })}
        </Text>
        <Button
          size="small"
          variant="secondary"
          // What was pressed is gone: whoever works by keyboard goes on here.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          onPress={onNo}
        >
          {t('operations.steer.no')}
        </Button>
        <Button
          size="small"
          variant="primary"
          destructive
          className={danger.danger}
          isDisabled={disabled}
          onPress={onYes}
        >
          {t(`operations.steer.yes.${kind}`)}
        </Button>
      </Row>
    </div>
  );
}
