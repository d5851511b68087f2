import {
  coreApis,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import {
  Operation,
  OperationDetails,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { QueryObserver, useQueryClient } from '@tanstack/react-query';
import { reasonOf } from '../../components/Answers';
import { answerKey, useDeadLetter } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { useOperationPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { forget } from './begun';
import { EndedActions } from './EndedActions';
import { isOver, kindOf, lookAgain, succeeded, wentWrong } from './operation';
import { sayNumber } from './say';
import { operationKey } from './useOperation';

/** How long it says that all went well; longer where it can be undone. */
const SAID_FOR_MS = 10_000;
const UNDO_FOR_MS = 30_000;

/**
 * Follows an operation until it ends and announces its outcome, wherever whoever began it is by then: it does not depend on a view
 * that is still there.
 */
export function useFollow() {
  const client = useDeadLetter();
  const queries = useQueryClient();
  const { name } = useEnvironment();
  const announce = useAnnounce();

  return function follow({ id }: Operation, onEnded: () => void) {
    const observer = new QueryObserver<OperationDetails>(queries, {
      queryKey: answerKey(name, operationKey(id)),
      queryFn: ({ signal }) => client.operation(id, signal),
      refetchInterval: query => lookAgain(query.state.data),
      refetchIntervalInBackground: true,
    });
    const stop = observer.subscribe(({ data }) => {
      if (!data || !isOver(data)) return;
      stop();
      if (!wentWrong(data)) forget(id);
      onEnded();
      announce(data, restored => follow(restored, onEnded));
    });
  };
}

function useAnnounce() {
  const client = useDeadLetter();
  const toasts = useApi(coreApis.toast);
  const operationPath = useOperationPath();
  const { t } = useTranslationRef(deadLetterTranslationRef);

  return (operation: Operation, onUndone: (restored: Operation) => void) => {
    const count = succeeded(operation);
    const what = t(`operations.ended.${kindOf(operation)}`, {
      count,
      number: sayNumber(count),
    });
    const bad = (['returned', 'refused', 'skipped'] as const)
      .filter(outcome => operation.outcomes[outcome] > 0)
      .map(
        outcome =>
          `${sayNumber(operation.outcomes[outcome])} ${t(
            `operations.outcome.${outcome}`,
          ).toLocaleLowerCase()}`,
      );
    const canUndo = operation.kind === 'delete' && count > 0;
    const undo = async (close: () => void) => {
      close();
      try {
        onUndone(await client.undoDelete(operation.id));
      } catch (error) {
        toasts.post({
          title: t('operations.undo.failed'),
          description: reasonOf(error as Error),
          status: 'danger',
        });
      }
    };
    const { close } = toasts.post({
      title:
        operation.state === 'cancelled'
          ? t('operations.ended.cancelled', { what })
          : what,
      description: (
        <EndedActions
          said={bad.join(', ')}
          href={operationPath(operation.id)}
          open={t('operations.ended.open')}
          undo={t('operations.undo.short')}
          onUndo={canUndo ? () => undo(close) : undefined}
        />
      ),
      ...(wentWrong(operation)
        ? { status: 'warning' as const }
        : {
            status: 'success' as const,
            timeout: canUndo ? UNDO_FOR_MS : SAID_FOR_MS,
          }),
    });
  };
}
