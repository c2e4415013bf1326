"""Finds a data set in the cache of `datasets`, at the commit that was asked for and no other."""

from pathlib import Path
from typing import Any

from cotdata.errors import SourceError
from cotdata.sources.hub.address import check_choice
from cotdata.sources.hub.errors import LOCAL_COPY


def cached_builder(dataset_id: str, config: str | None, commit: str) -> Any:  # noqa: ANN401
    """Return the builder of a prepared data set; it makes no request.

    Raises:
        SourceError: If the cache does not hold that config at that commit.
    """
    from datasets.config import HF_DATASETS_CACHE
    from datasets.naming import camelcase_to_snakecase
    from datasets.packaged_modules.cache.cache import Cache

    owner, name = dataset_id.split("/")
    root = Path(HF_DATASETS_CACHE).expanduser() / f"{owner}___{camelcase_to_snakecase(name)}"
    # <config>/<version>/<commit>
    folders = {path.parts[-3]: path for path in sorted(root.glob(f"*/*/{commit}")) if path.is_dir()}
    if not folders:
        raise SourceError(
            f"`{dataset_id}`: the Hugging Face Hub cannot be reached, and revision {commit} is not "
            "in the cache of `datasets`",
            fix=f"check the network and HF_HUB_OFFLINE, or {LOCAL_COPY}",
        )
    if config is None and len(folders) == 1:
        config = next(iter(folders))
    check_choice("config", config, list(folders), f"{dataset_id} in the cache")
    folder = folders[str(config)]
    return Cache(
        repo_id=dataset_id,
        dataset_name=name,
        config_name=config,
        version=folder.parts[-2],
        hash=commit,
    )


def is_cached(builder: Any) -> bool:  # noqa: ANN401
    """Say whether a builder reads what is in the cache, and nothing else."""
    from datasets.packaged_modules.cache.cache import Cache

    return isinstance(builder, Cache)
