import {
  Button,
  ButtonIcon,
  Dialog,
  DialogBody,
  DialogHeader,
  DialogTrigger,
  Flex,
  Link,
  Text,
  TextField,
} from '@backstage/ui';
import { RiBookmarkLine, RiDeleteBinLine } from '@remixicon/react';
import { useState } from 'react';
import { useLocation } from 'react-router-dom';
import {
  LONGEST_NAME,
  SavedView,
  addressOf,
  deleteView,
  saveView,
  useSavedViews,
} from './savedViews';
import styles from './SavedViews.module.css';

/** The views that were saved, and a way to save this one. */
export function SavedViews() {
  const views = useSavedViews();
  return (
    <DialogTrigger>
      <Button size="small" variant="tertiary" iconStart={<RiBookmarkLine />}>
        Views
      </Button>
      <Dialog width={440}>
        <DialogHeader>Saved views</DialogHeader>
        <DialogBody>
          <Flex direction="column" gap="4">
            <Save />
            {views.length === 0 ? (
              <Text color="secondary">
                No views are saved. They are kept in this browser.
              </Text>
            ) : (
              <ul className={styles.list} aria-label="Saved views">
                {views.map(each => (
                  <Saved key={each.name} view={each} />
                ))}
              </ul>
            )}
          </Flex>
        </DialogBody>
      </Dialog>
    </DialogTrigger>
  );
}

function Save() {
  const { pathname, search } = useLocation();
  const [name, setName] = useState('');
  const given = name.trim();
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        if (!given) return;
        saveView({ name: given, address: addressOf(pathname, search) });
        setName('');
      }}
    >
      <Flex gap="2" align="end">
        <TextField
          className={styles.name}
          label="Name of this view"
          maxLength={LONGEST_NAME}
          value={name}
          onChange={setName}
        />
        <Button type="submit" variant="primary" isDisabled={given === ''}>
          Save
        </Button>
      </Flex>
    </form>
  );
}

function Saved({ view }: { view: SavedView }) {
  return (
    <li className={styles.view}>
      <Link href={view.address}>{view.name}</Link>
      <ButtonIcon
        size="small"
        variant="tertiary"
        aria-label={`Delete ${view.name}`}
        icon={<RiDeleteBinLine />}
        onPress={() => deleteView(view.name)}
      />
    </li>
  );
}
