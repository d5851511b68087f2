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
import { EndedActions } from './EndedActions';
import { noteBegun } from './begun';
import { isOver, isSettled, lookAgain, succeeded, toneOf } from './operation';
import { sayNumber } from './say';
import { operationKey } from './useOperation';

/** How long it says that all went well; longer where it can be undone. */
const SAID_FOR_MS = 10_000;
const UNDO_FOR_MS = 30_000;

/**
 * Follows an operation until its outcome is known and announces that, wherever whoever began it is by then: it does not depend on a
 * view that is still there. What was sent may die again: until the service says what came of it, it is only said to be watched.
 */
export function useFollow() {
  const client = useDeadLetter();
  const queries = useQueryClient();
  const { name } = useEnvironment();
  const announce = useAnnounce();

  return function follow({ id }: Operation, onChanged: () => void) {
    noteBegun(id);
    const observer = new QueryObserver<OperationDetails>(queries, {
      queryKey: answerKey(name, operationKey(id)),
      queryFn: ({ signal }) => client.operation(id, signal),
      refetchInterval: query => lookAgain(query.state.data),
      refetchIntervalInBackground: true,
    });
    let watched: { close: () => void } | undefined;
    const stop = observer.subscribe(({ data }) => {
      if (!data || !isOver(data)) return;
      if (!isSettled(data)) {
        if (watched) return;
        // What was sent is gone from the lists already.
        onChanged();
        watched = announce.watching(data);
        return;
      }
      stop();
      watched?.close();
      onChanged();
      announce.settled(data, restored => follow(restored, onChanged));
    });
  };
}

function useAnnounce() {
  const client = useDeadLetter();
  const toasts = useApi(coreApis.toast);
  const operationPath = useOperationPath();
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const actions = (operation: Operation, onUndo?: () => void) => (
    <EndedActions
      href={operationPath(operation.id)}
      open={t('operations.ended.open')}
      undo={t('operations.undo.short')}
      onUndo={onUndo}
    />
  );

  const watching = (operation: Operation) =>
    toasts.post({
      title: t('operations.ended.watching', {
        number: sayNumber(
          operation.outcomes.sent + operation.outcomes.returned,
        ),
      }),
      description: actions(operation),
      status: 'info',
    });

  const settled = (
    operation: Operation,
    onUndone: (restored: Operation) => void,
  ) => {
    const canUndo = operation.kind === 'delete' && succeeded(operation) > 0;
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
    const status = toneOf(operation);
    const { close } = toasts.post({
      title: operation.verdictText,
      description: actions(operation, canUndo ? () => undo(close) : undefined),
      status,
      // What went wrong stays until somebody has seen it.
      ...(status === 'success' && {
        timeout: canUndo ? UNDO_FOR_MS : SAID_FOR_MS,
      }),
    });
  };
  return { watching, settled };
}
