import {
  useApiHolder,
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { catalogApiRef } from '@backstage/plugin-catalog-react';
import { useCallback } from 'react';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { Row } from '../../components/Row';
import { FindBox } from '../../components/FindBox';
import { PluginPage } from '../../components/PluginPage';
import { TableSkeleton } from '../../components/TableSkeleton';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { FIND_PARAMETER, MESSAGE_PARAMETER } from '../../hooks/useMessagePath';
import { deadLetterTranslationRef } from '../../translation';
import { ExportMenu } from '../exporting';
import { useCursors } from '../operations/useCursors';
import { AnyMessageDrawer } from './AnyMessageDrawer';
import { Found } from './Found';

const PAGE = 50;

/** Finds dead letters of any service by an id or a text, whatever became of them. */
export function SearchPage() {
  return (
    <PluginPage view="search">
      <Search />
    </PluginPage>
  );
}

function Search() {
  const { name } = useEnvironment();
  const [parameters, setParameters] = useAppSearchParams();
  const text = parameters.get(FIND_PARAMETER) ?? '';
  const message = parameters.get(MESSAGE_PARAMETER);
  // In Backstage some of what is found may be hidden: see Found.
  const canExport = useApiHolder().get(catalogApiRef) === undefined;
  const open = useCallback(
    (id: string | undefined) =>
      setParameters(before => {
        before.delete(MESSAGE_PARAMETER);
        if (id) before.set(MESSAGE_PARAMETER, id);
        return before;
      }),
    [setParameters],
  );
  return (
    <>
      <Row apart>
        <FindBox found={text} />
        {canExport && text && (
          <ExportMenu filter={{ find: text, status: 'any' }} name="search" />
        )}
        <EnvironmentSelect />
      </Row>
      {text ? (
        <Results key={`${name} ${text}`} text={text} onOpen={open} />
      ) : (
        <Start />
      )}
      {message && (
        <AnyMessageDrawer
          id={message}
          onClose={() => open(undefined)}
          onOpen={open}
        />
      )}
    </>
  );
}

function Start() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Empty
      why="filtered"
      title={t('search.start')}
      description={t('search.startDetail')}
    />
  );
}

interface ResultsProps {
  text: string;
  onOpen: (id: string) => void;
}

function Results({ text, onOpen }: ResultsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const pages = useCursors();
  const answer = useAnswer(
    ['messages', 'found', text, pages.cursor],
    (client, signal) =>
      client.search(
        { find: text, status: 'any' },
        { limit: PAGE, cursor: pages.cursor },
        signal,
      ),
  );
  return (
    <Answered answer={answer} loading={<TableSkeleton rows={8} />}>
      {page =>
        page.messages.length === 0 && pages.isFirst ? (
          <Empty
            why="filtered"
            title={t('search.nothing', { text })}
            description={t('search.nothingDetail')}
          />
        ) : (
          <Found text={text} page={page} pages={pages} onOpen={onOpen} />
        )
      }
    </Answered>
  );
}
