import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Flex, Text } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Row } from '../../components/Row';
import { ServiceText } from '../../components/ServiceText';
import { deadLetterTranslationRef } from '../../translation';
import { isOver, toneOf } from './operation';
import { Outcomes } from './Outcomes';
import { ProgressBar } from './ProgressBar';
import { sayNumber } from './say';

/** How far an operation is, how fast, what keeps it, and in the end what came of it. */
export function OperationProgress({ operation }: { operation: Operation }) {
  return (
    <Flex direction="column" gap="2">
      <ProgressBar operation={operation} />
      <Row apart>
        <Outcomes operation={operation} />
        <Speed operation={operation} />
      </Row>
      <Verdict operation={operation} />
    </Flex>
  );
}

function Speed({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { perSecond, etaSeconds } = operation.progress;
  const { state, canary, canaryPassed } = operation;
  // While a canary waits a rate says nothing of the others.
  const isClimbing = canary.some(step => step > canaryPassed);
  const stands = state === 'paused' || state === 'waiting';
  if (isOver(operation) || stands || isClimbing) return null;
  const sayLeft = (seconds: number) => {
    const [unit, left] = sayEta(seconds);
    return t(`operations.progress.${unit}`, { left: sayNumber(left) });
  };
  const parts = [
    perSecond !== null &&
      t('operations.progress.rate', { rate: sayNumber(perSecond) }),
    etaSeconds !== null && sayLeft(etaSeconds),
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

/** What the service says of it. */
function Verdict({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { state, lastError, verdictText, awaitsApproval } = operation;
  const said = <ServiceText text={verdictText} />;
  if (isOver(operation)) {
    return <Alert role="status" status={toneOf(operation)} icon title={said} />;
  }
  if (state === 'paused') {
    return (
      <Alert
        status="warning"
        icon
        title={t(
          awaitsApproval
            ? 'operations.progress.awaitsApproval'
            : 'operations.progress.paused',
        )}
        description={
          <>
            {said} {t('operations.progress.pausedDetail')}
          </>
        }
      />
    );
  }
  if (state === 'waiting') {
    return <Alert role="status" status="info" icon title={said} />;
  }
  if (lastError) {
    return (
      <Alert
        status="warning"
        icon
        title={t('operations.progress.held')}
        description={said}
      />
    );
  }
  return (
    <Text as="p" variant="body-small">
      {said}
    </Text>
  );
}
