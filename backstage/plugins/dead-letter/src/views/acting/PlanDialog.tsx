import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Alert,
  Button,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Skeleton,
} from '@backstage/ui';
import {
  Operation,
  Plan,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useState } from 'react';
import { isAway, reasonOf } from '../../components/Answers';
import { Time } from '../../components/Time';
import readable from '../../components/readable.module.css';
import danger from '../../components/danger.module.css';
import { deadLetterTranslationRef } from '../../translation';
import { sayNumber } from '../operations/say';
import { AgainOption, Chosen, Options } from './Options';
import { PlanSummary } from './PlanSummary';
import styles from './PlanSummary.module.css';
import { requestOf } from './request';
import { ActionKind, Selection } from './selection';
import { usePlan } from './usePlan';
import { useRun } from './useRun';

/** Seconds after each step of a canary, unless somebody says otherwise. */
const WAIT_SECONDS = 30;

interface PlanDialogProps {
  kind: ActionKind;
  selection: Selection;
  onClose: () => void;
  onBegun: (operation: Operation) => void;
}

/** Says exactly what will happen, and does it. */
export function PlanDialog(props: PlanDialogProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { kind, onClose } = props;
  // The selection in the background may change with what arrives; what is planned is what was selected.
  const [selection] = useState(props.selection);
  const [chosen, choose] = useState<Chosen>({
    rate: null,
    canary: { isOn: undefined, waitSeconds: WAIT_SECONDS },
    order: 'newest',
    routingKey: 'queue',
    again: false,
    note: '',
  });
  const isSecondTime = selection.status === 'redelivered';
  const [total, setTotal] = useState(0);
  // What fails still is tried with a few first, unless somebody says otherwise.
  const [isRisky, setRisky] = useState(false);
  const way = {
    ...chosen,
    canary: { ...chosen.canary, isOn: chosen.canary.isOn ?? isRisky },
  };
  const planned = usePlan(
    isSecondTime && !chosen.again
      ? undefined
      : requestOf(kind, selection, way, total),
  );
  const { plan, isPlanning } = planned;
  if (plan && plan.total !== total) setTotal(plan.total);
  if (!isRisky && plan?.warnings.some(isStillFailing)) setRisky(true);
  const { run, isBusy, error } = useRun({
    onBegun: props.onBegun,
    onExpired: () => planned.planAgain(true),
  });
  return (
    <Dialog
      isOpen
      width={640}
      className={readable.readable}
      // What is being begun cannot be taken back by closing this.
      onOpenChange={isOpen => !isOpen && !isBusy && onClose()}
    >
      <DialogHeader>
        <Title kind={kind} plan={plan} isPlanning={isPlanning} />
      </DialogHeader>
      <DialogBody>
        <div className={styles.body} aria-busy={isPlanning}>
          {isSecondTime && (
            <AgainOption
              again={chosen.again}
              onChoose={again => choose({ ...chosen, again })}
            />
          )}
          <Notices planned={planned} runError={error} />
          {!plan && isPlanning && <Loading />}
          {plan && plan.total > 0 && (
            <>
              <PlanSummary plan={plan} />
              <Options
                kind={kind}
                total={plan.total}
                chosen={way}
                onChoose={choose}
              />
            </>
          )}
        </div>
      </DialogBody>
      <DialogFooter>
        <Holds plan={plan} />
        <Button
          variant="secondary"
          // Enter without a look must do nothing.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          isDisabled={isBusy}
          onPress={onClose}
        >
          {t('acting.plan.cancel')}
        </Button>
        <Run
          kind={kind}
          plan={plan}
          isDisabled={isPlanning || isBusy || Boolean(planned.error)}
          onRun={() => plan && run(plan, chosen)}
        />
      </DialogFooter>
    </Dialog>
  );
}

function isStillFailing({ code }: Plan['warnings'][number]): boolean {
  return code === 'still_failing';
}

interface TitleProps {
  kind: ActionKind;
  plan?: Plan;
  isPlanning: boolean;
}

function Title({ kind, plan, isPlanning }: TitleProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (!plan) {
    return <>{t(isPlanning ? 'acting.plan.counting' : 'acting.plan.again')}</>;
  }
  if (plan.total === 0) return <>{t('acting.plan.nothing')}</>;
  const count = { count: plan.total, number: sayNumber(plan.total) };
  if (kind !== 'redeliver') return <>{t(`acting.plan.${kind}`, count)}</>;
  const to = t('acting.plan.queues', {
    count: plan.queues.length,
    number: sayNumber(plan.queues.length),
  });
  return <>{t('acting.plan.redeliver', { ...count, to })}</>;
}

interface NoticesProps {
  planned: ReturnType<typeof usePlan>;
  runError?: Error;
}

function Notices({ planned, runError }: NoticesProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { plan, error, hasExpired, planAgain } = planned;
  const say = (failure: Error) =>
    isAway(failure) ? t('acting.plan.away') : reasonOf(failure);
  return (
    <>
      {error && (
        <Alert
          role="alert"
          status="danger"
          icon
          title={t('acting.plan.failed')}
          description={say(error)}
          customActions={
            <Button
              size="small"
              variant="secondary"
              onPress={() => planAgain(false)}
            >
              {t('acting.plan.retry')}
            </Button>
          }
        />
      )}
      {runError && (
        <Alert
          role="alert"
          status="danger"
          icon
          title={t('acting.plan.runFailed')}
          description={say(runError)}
        />
      )}
      {hasExpired && (
        <Alert
          role="status"
          status="info"
          icon
          title={t('acting.plan.expired')}
        />
      )}
      {plan?.total === 0 && (
        <Alert
          status="info"
          icon
          title={t('acting.plan.nothing')}
          description={t('acting.plan.nothingDetail')}
        />
      )}
    </>
  );
}

function Loading() {
  return (
    <>
      {Array.from({ length: 5 }, (_, row) => (
        <Skeleton key={row} width="100%" height={36} />
      ))}
    </>
  );
}

function Holds({ plan }: { plan?: Plan }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (!plan || plan.total === 0) return null;
  return (
    <span className={styles.holds}>
      {t('acting.plan.holds')} <Time at={plan.expiresAt} ago />
    </span>
  );
}

interface RunProps {
  kind: ActionKind;
  plan?: Plan;
  isDisabled: boolean;
  onRun: () => void;
}

function Run({ kind, plan, isDisabled, onRun }: RunProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (!plan || plan.total === 0) return null;
  return (
    <Button
      variant="primary"
      destructive={kind === 'delete'}
      className={danger.danger}
      isDisabled={isDisabled}
      onPress={onRun}
    >
      {t('acting.plan.run', {
        action: t(`acting.${kind}`),
        number: sayNumber(plan.total),
      })}
    </Button>
  );
}
