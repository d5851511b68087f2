import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Flex, Text } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../../translation';
import { canaryStep, isOver } from './operation';
import { Outcomes } from './Outcomes';
import { ProgressBar } from './ProgressBar';
import { sayNumber } from './say';

/** How far an operation is, how fast, and what keeps it. */
export function OperationProgress({ operation }: { operation: Operation }) {
  return (
    <Flex direction="column" gap="2">
      <ProgressBar operation={operation} />
      <Flex justify="between" gap="3">
        <Outcomes operation={operation} />
        <Speed operation={operation} />
      </Flex>
      <Standstill operation={operation} />
    </Flex>
  );
}

function Speed({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { perSecond, etaSeconds } = operation.progress;
  const step = canaryStep(operation);
  if (isOver(operation)) return null;
  const sayLeft = (seconds: number) => {
    const [unit, left] = sayEta(seconds);
    return t(`operations.progress.${unit}`, { left: sayNumber(left) });
  };
  const parts = [
    perSecond !== null &&
      t('operations.progress.rate', { rate: sayNumber(perSecond) }),
    // While a canary waits a rate says nothing of the rest.
    etaSeconds !== null && step === undefined && sayLeft(etaSeconds),
    step !== undefined &&
      t('operations.progress.canary', {
        step: sayNumber(step),
        wait: sayNumber(operation.canaryWait),
      }),
  ];
  return (
    <Text variant="body-x-small" color="secondary">
      {parts.filter(Boolean).join(' · ')}
    </Text>
  );
}

/** How long it still takes, in the unit that fits. */
function sayEta(seconds: number) {
  if (seconds < 90) return ['seconds', Math.ceil(seconds)] as const;
  if (seconds < 5_400) return ['minutes', Math.ceil(seconds / 60)] as const;
  return ['hours', Math.ceil(seconds / 3_600)] as const;
}

/** Why it does not go on. */
function Standstill({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { state, lastError } = operation;
  if (state === 'paused') {
    return (
      <Alert
        status="warning"
        icon
        title={t('operations.progress.paused')}
        description={
          lastError
            ? `${lastError}. ${t('operations.progress.pausedDetail')}`
            : t('operations.progress.pausedDetail')
        }
      />
    );
  }
  if (!lastError || isOver(operation)) return null;
  return (
    <Alert
      status="warning"
      icon
      title={t('operations.progress.waits')}
      description={lastError}
    />
  );
}
