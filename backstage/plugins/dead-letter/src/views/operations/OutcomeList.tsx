import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Flex,
  Link,
  Text,
  ToggleButton,
  ToggleButtonGroup,
} from '@backstage/ui';
import {
  Operation,
  OperationItem,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useState } from 'react';
import { Answered } from '../../components/Answered';
import { CopyButton } from '../../components/CopyButton';
import { ServiceText } from '../../components/ServiceText';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useMessagePath } from '../../hooks/useMessagePath';
import { deadLetterTranslationRef } from '../../translation';
import { OUTCOMES, Outcome, isOver } from './operation';
import styles from './OutcomeList.module.css';
import { sayId, sayNumber } from './say';
import { useCursors } from './useCursors';

const PAGE = 25;
const REFRESH_MS = 3_000;

/** What became of each of an operation's dead letters, page by page. */
export function OutcomeList({ operation }: { operation: Operation }) {
  const [outcome, setOutcome] = useState<Outcome | 'all'>('all');
  const pages = useCursors();
  const answer = useAnswer(
    ['operation', operation.id, 'items', outcome, pages.cursor],
    (client, signal) =>
      client.operationItems(
        operation.id,
        {
          outcome: outcome === 'all' ? undefined : outcome,
          limit: PAGE,
          cursor: pages.cursor,
        },
        signal,
      ),
    { every: isOver(operation) ? false : REFRESH_MS },
  );
  return (
    <Flex direction="column" gap="2">
      <OutcomeChoice
        operation={operation}
        chosen={outcome}
        onChoose={chosen => {
          pages.reset();
          setOutcome(chosen);
        }}
      />
      <div className={styles.scroll}>
        <Answered answer={answer}>
          {({ items, nextCursor }) => (
            <>
              <Items items={items} />
              <Pager pages={pages} next={nextCursor} />
            </>
          )}
        </Answered>
      </div>
    </Flex>
  );
}

interface OutcomeChoiceProps {
  operation: Operation;
  chosen: Outcome | 'all';
  onChoose: (outcome: Outcome | 'all') => void;
}

function OutcomeChoice({ operation, chosen, onChoose }: OutcomeChoiceProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { outcomes, total } = operation;
  // The chosen one stays, though it may be empty by now.
  const offered = OUTCOMES.filter(
    name => outcomes[name] > 0 || name === chosen,
  );
  return (
    <ToggleButtonGroup
      aria-label={t('operations.column.outcome')}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[chosen]}
      onSelectionChange={keys => onChoose([...keys][0] as Outcome | 'all')}
    >
      {(['all', ...offered] as const).map(name => (
        <ToggleButton key={name} id={name}>
          {t(`operations.outcome.${name}`)}{' '}
          {sayNumber(name === 'all' ? total : outcomes[name])}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

function Items({ items }: { items: OperationItem[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const messagePath = useMessagePath();
  if (items.length === 0) return <Text>{t('operations.noItems')}</Text>;
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">{t('operations.column.deadLetter')}</th>
          <th scope="col">{t('operations.column.outcome')}</th>
          <th scope="col">{t('operations.column.detail')}</th>
        </tr>
      </thead>
      <tbody>
        {items.map(item => (
          <tr key={item.deadLetterId}>
            <td className={styles.id}>
              <Link href={messagePath(item.deadLetterId)}>
                {sayId(item.deadLetterId)}
              </Link>
              <CopyButton
                what={sayId(item.deadLetterId)}
                text={item.deadLetterId}
              />
            </td>
            <td>
              {t(`operations.outcome.${(item.outcome ?? 'open') as Outcome}`)}
            </td>
            <td>
              {item.detail && <ServiceText text={item.detail} />}
              {item.returnedAs && (
                <>
                  {' '}
                  <Link href={messagePath(item.returnedAs)}>
                    {t('operations.returnedAs', { id: sayId(item.returnedAs) })}
                  </Link>
                  <CopyButton
                    what={sayId(item.returnedAs)}
                    text={item.returnedAs}
                  />
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface PagerProps {
  pages: ReturnType<typeof useCursors>;
  next: string | null;
}

/** Back and forth; nothing where all is on one page. */
export function Pager({ pages, next }: PagerProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (pages.isFirst && !next) return null;
  return (
    <Flex gap="2" justify="end" mt="2">
      <Button
        size="small"
        variant="secondary"
        isDisabled={pages.isFirst}
        onPress={pages.back}
      >
        {t('operations.previousPage')}
      </Button>
      <Button
        size="small"
        variant="secondary"
        isDisabled={!next}
        onPress={() => next && pages.on(next)}
      >
        {t('operations.nextPage')}
      </Button>
    </Flex>
  );
}
